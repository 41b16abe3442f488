"""Our own client reads the stand-in's API as it would the vendor's."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from clients.errors import Gone, Refused, TryLater
from clients.gumroad import Gumroad as Client
from sandbox.gumroad import Gumroad
from tests.sandbox.gumroad.conftest import PRODUCT, SELLER, TOKEN, Browser

DAY = 86400.0


def get(api_url: str, path: str, **params: str) -> requests.Response:
    return requests.get(
        api_url + path, params=params, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
    )


def test_a_sale_is_read(browser: Browser, client: Client):
    bought = browser.buy(tier="Plus", full_name="Alice Baker")
    sale = client.sale(bought["sale_id"])
    assert (sale.id, sale.subscription_id) == (bought["sale_id"], bought["subscription_id"])
    assert (sale.seller_id, sale.product_id) == (SELLER, PRODUCT)
    assert (sale.email, sale.name, sale.variants) == ("alice@example.test", "Alice Baker", {"Tier": "Plus"})
    assert {sale.recurring, sale.refunded, sale.partly_refunded, sale.disputed} == {False}


def test_a_sale_tells_of_money_that_went_back(browser: Browser, client: Client):
    bought = browser.buy()
    browser.act(bought["subscription_id"], "refund", amount_cents=100)
    assert client.sale(bought["sale_id"]).partly_refunded
    browser.act(bought["subscription_id"], "dispute")
    sale = client.sale(bought["sale_id"])
    assert (sale.disputed, sale.dispute_won, sale.refunded) == (True, False, False)


def test_a_subscriber_is_read_in_every_state(browser: Browser, client: Client):
    bought = browser.buy()
    its_id = bought["subscription_id"]
    assert client.subscriber(its_id).status == "alive"
    assert client.subscriber(its_id).purchase_ids == (bought["sale_id"],)
    browser.act(its_id, "cancel")
    pending = client.subscriber(its_id)
    assert pending.status == "pending_cancellation"
    assert pending.cancelled_at
    assert pending.cancelled_at > datetime.now(UTC)
    browser.act(its_id, "end")
    assert client.subscriber(its_id).status == "cancelled"
    browser.act(its_id, "restart")
    browser.act(its_id, "fail")
    failed = client.subscriber(its_id)
    assert (failed.status, failed.cancelled_at, failed.failed_at is None) == ("failed_payment", None, False)


def test_what_is_not_there_is_gone_with_status_200(api_url: str, client: Client):
    for ask in (lambda: client.sale("none=="), lambda: client.subscriber("none==")):
        with pytest.raises(Gone):
            ask()
    with pytest.raises(Gone):
        list(client.subscribers("no-product=="))
    answer = get(api_url, "/sales/none==")
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": False, "message": "The sale was not found."},
    )


def test_sales_come_ten_to_a_page_the_newest_first(browser: Browser, api_url: str, client: Client):
    bought = [browser.buy(email=f"alice{number}@example.test")["sale_id"] for number in range(21)]
    assert [sale.id for sale in client.sales()] == bought[::-1]
    page = get(api_url, "/sales").json()
    assert len(page["sales"]) == 10
    assert page["next_page_key"] in page["next_page_url"]
    last = get(
        api_url,
        "/sales",
        page_key=get(api_url, "/sales", page_key=page["next_page_key"]).json()["next_page_key"],
    )
    assert len(last.json()["sales"]) == 1
    assert not {"next_page_key", "next_page_url"} & set(last.json())


def test_sales_are_found_by_day_and_by_address(store, browser: Browser, api_url: str, client: Client):
    old = browser.buy()["sale_id"]
    store.age(3 * DAY)
    new = browser.buy(email="bob@example.test")["sale_id"]
    today = datetime.now(UTC).date()
    assert [sale.id for sale in client.sales(after=today - timedelta(days=1))] == [new]
    assert [sale.id for sale in client.sales(before=today - timedelta(days=1))] == [old]
    assert [row["id"] for row in get(api_url, "/sales", email="bob@example.test").json()["sales"]] == [new]
    assert get(api_url, "/sales", product_id="other==").json()["sales"] == []


@pytest.mark.parametrize(
    "bad", [{"after": "yesterday"}, {"before": "2026-13-01"}, {"page_key": "x"}, {"order_id": "0x"}]
)
def test_bad_parameters_are_answered_400(api_url: str, bad: dict[str, str]):
    answer = get(api_url, "/sales", **bad)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_subscribers_are_those_that_still_have_access(browser: Browser, client: Client):
    ended, pending, alive = (
        browser.buy(email=f"{name}@example.test")["subscription_id"] for name in ("alice", "bob", "charlie")
    )
    browser.buy(email="seller@example.com")
    for its_id in (ended, pending):
        browser.act(its_id, "cancel")
    browser.act(ended, "end")
    assert {one.id for one in client.subscribers(PRODUCT)} == {pending, alive}


def test_a_test_purchase_is_not_among_the_sales(browser: Browser, client: Client):
    browser.buy(email="seller@example.com")
    assert list(client.sales()) == []


def test_keys_without_a_value_are_left_out_of_a_sale(browser: Browser, api_url: str):
    sale = get(api_url, f"/sales/{browser.buy()['sale_id']}").json()["sale"]
    assert {key for key, value in sale.items() if value is None} == {"free_trial_ended", "free_trial_ends_on"}
    assert not {"full_name", "refunded", "offer_code", "purchaser_id"} & set(sale)


def test_a_wrong_token_is_refused(api_url: str):
    with Client("wrong", api_url) as stranger, pytest.raises(Refused) as refused:
        stranger.sale("x==")
    assert refused.value.code == "401"
    assert requests.get(f"{api_url}/user", timeout=60).status_code == 401
    seller = requests.get(f"{api_url}/user", params={"access_token": TOKEN}, timeout=60).json()
    assert (seller["success"], seller["user"]["user_id"]) == (True, SELLER)


def test_no_token_opens_a_store_that_was_given_none(tmp_path):
    store = Gumroad(
        tmp_path / "other", token="", ping_url="", control_url="", seller_id=SELLER, product_id=PRODUCT
    )
    assert Browser(store).client.get("/gumroad/v2/user").status_code == 401
    store.close()


@pytest.mark.parametrize(
    ("kind", "error"), [("error_500", TryLater), ("drop_connection", TryLater), ("success_false", Refused)]
)
def test_the_api_can_be_told_to_fail_once(
    browser: Browser, client: Client, kind: str, error: type[Exception]
):
    bought = browser.buy()
    browser.post("/faults", kind=kind)
    with pytest.raises(error):
        client.sale(bought["sale_id"])
    assert client.sale(bought["sale_id"]).id == bought["sale_id"]


def test_an_answer_can_come_too_late(browser: Browser, api_url: str):
    browser.post("/faults", kind="slow", seconds=0.4)
    with Client(TOKEN, api_url, timeout=(0.1, 0.1)) as client, pytest.raises(TryLater) as late:
        client.sale("x==")
    assert late.value.code == "timeout"


def test_whoever_asks_twice_is_told_twice(browser: Browser, receiver, ping_url: str):
    api = browser.client
    auth = {"Authorization": f"Bearer {TOKEN}"}
    wish = {"resource_name": "sale", "post_url": ping_url}
    made = api.put("/gumroad/v2/resource_subscriptions", data=wish, headers=auth).get_json()[
        "resource_subscription"
    ]
    browser.buy()
    receiver.wait(2)
    listed = api.get("/gumroad/v2/resource_subscriptions?resource_name=sale", headers=auth).get_json()
    assert made in listed["resource_subscriptions"]
    for success in (True, False):
        answer = api.delete(f"/gumroad/v2/resource_subscriptions/{made['id']}", headers=auth)
        assert answer.get_json()["success"] is success
    for bad in (
        {**wish, "resource_name": "weather"},
        {**wish, "post_url": "ftp://x"},
        {**wish, "post_url": "http://["},
    ):
        assert (
            api.put("/gumroad/v2/resource_subscriptions", data=bad, headers=auth).get_json()["success"]
            is False
        )


def test_money_can_be_given_back_through_the_api(browser: Browser, api_url: str, client: Client):
    sale_id = browser.buy()["sale_id"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.put(f"{api_url}/sales/{sale_id}/refund", headers=headers, timeout=60).json()
    assert answer["sale"]["refunded"] is True
    again = requests.put(f"{api_url}/sales/{sale_id}/refund", headers=headers, timeout=60).json()
    assert again["success"] is False
    assert client.sale(sale_id).refunded
