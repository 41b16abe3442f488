"""The API's half answers, its lists that give up, its limits, and a token that is good no more."""

import json
import sqlite3

import pytest
import requests

from clients.errors import Gone, Refused, TryLater
from clients.gumroad import Gumroad as Client
from sandbox.gumroad import Gumroad
from sandbox.gumroad.trouble import DeepPages
from tests.sandbox.gumroad.conftest import TOKEN, Browser, Receiver, eventually

AUTH = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(("kind", "error"), [
    ("half", TryLater), ("garbage", TryLater), ("rate_limit", TryLater), ("not_yet", Gone),
])  # fmt: skip
def test_what_is_no_answer_is_sorted_by_our_client(browser: Browser, client: Client, kind: str, error: type):
    bought = browser.buy()
    browser.post("/faults", kind=kind)
    with pytest.raises(error):
        client.sale(bought["sale_id"])
    assert client.sale(bought["sale_id"]).id == bought["sale_id"]


def test_an_answer_that_drips_is_whole_in_the_end(browser: Browser, client: Client):
    bought = browser.buy()
    browser.post("/faults", kind="trickle", seconds=0.2)
    assert client.sale(bought["sale_id"]).id == bought["sale_id"]


def test_half_an_answer_tells_the_length_of_a_whole_one(browser: Browser, api_url: str):
    browser.buy()
    browser.post("/faults", kind="half")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        requests.get(f"{api_url}/user", headers=AUTH, timeout=60)


def test_a_list_that_takes_too_long_is_answered_400_and_read_later(
    browser: Browser, client: Client, api_url: str
):
    browser.buy()
    browser.post("/faults", kind="query_timeout", times=2)
    answer = requests.get(f"{api_url}/sales", headers=AUTH, timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    with pytest.raises(TryLater):
        list(client.sales())
    assert len(list(client.sales())) == 1


def test_pages_by_number_are_limited_from_the_eleventh_on():
    now = [100.0]
    pages = DeepPages(lambda: now[0])
    assert not any(pages.refuses("1.2.3.4", 10) for _ in range(50))
    assert [pages.refuses("1.2.3.4", 11) for _ in range(12)] == [False] * 10 + [True] * 2
    assert not pages.refuses("1.2.3.5", 11)
    now[0] += 1
    assert not pages.refuses("1.2.3.4", 11)


def test_pages_by_number_still_work(browser: Browser, api_url: str):
    for number in range(11):
        browser.buy(email=f"alice{number}@example.test")
    second = requests.get(f"{api_url}/sales", params={"page": 2}, headers=AUTH, timeout=60).json()
    assert len(second["sales"]) == 1
    for bad in ({"page": "0"}, {"page": "x"}, {"product_id": "no id"}):
        assert requests.get(f"{api_url}/sales", params=bad, headers=AUTH, timeout=60).status_code == 400


def test_subscribers_come_a_hundred_to_a_page(browser: Browser, api_url: str, client: Client):
    for number in range(101):
        browser.buy(email=f"alice{number}@example.test")
    asked = {"paginated": "true"}
    page = requests.get(
        f"{api_url}/products/product-mailat==/subscribers", params=asked, headers=AUTH, timeout=60
    ).json()
    assert (len(page["subscribers"]), "next_page_key" in page) == (100, True)
    assert len({one.id for one in client.subscribers("product-mailat==")}) == 101


def test_a_revoked_token_closes_the_api_and_ends_its_pings_in_silence(
    browser: Browser, receiver: Receiver, client: Client
):
    browser.post("/ping-endpoint", on=True)
    browser.post("/token", revoked=True)
    bought = browser.buy()
    receiver.wait(1)
    eventually(lambda: browser.state_of_pings() == ["dropped", "delivered"])
    with pytest.raises(Refused):
        client.sale(bought["sale_id"])
    browser.post("/token", revoked=False)
    assert client.sale(bought["sale_id"]).id == bought["sale_id"]
    assert browser.refused("/token", revoked="no")[0] == 400


def test_the_settings_channel_can_speak_json(browser: Browser, receiver: Receiver):
    browser.post("/ping-endpoint", on=True, json=True)
    browser.buy(full_name="Alice Baker")
    receiver.wait(2)
    kinds = {
        headers["Content-Type"]: body for headers, body in zip(receiver.headers, receiver.bodies, strict=True)
    }
    told = json.loads(kinds["application/json"])
    assert (told["full_name"], told["variants"], told["refunded"]) == (
        "Alice Baker",
        {"Tier": "Basic"},
        False,
    )
    assert b"full_name=Alice%20Baker" in kinds["application/x-www-form-urlencoded"]


def test_at_the_vendors_pace_a_cancellation_overtakes_the_sale(
    store: Gumroad, browser: Browser, receiver: Receiver
):
    browser.post("/timing", sale=10, event=5, cron=60)
    its_id = browser.buy()["subscription_id"]
    browser.act(its_id, "cancel")
    store.age(5)
    receiver.wait(1)
    store.age(5)
    receiver.wait(2)
    assert receiver.kinds() == ["cancellation", "sale"]


def test_at_the_vendors_pace_what_is_over_is_still_alive_for_a_minute(
    store, browser: Browser, receiver: Receiver
):
    browser.post("/timing", sale=10, event=5, cron=60)
    its_id = browser.buy()["subscription_id"]
    browser.act(its_id, "cancel")
    assert browser.act(its_id, "end")["subscription"]["status"] == "alive"
    assert store.age(60) == ["The subscription of alice@example.test ended: cancelled."]


def test_what_is_shuffled_comes_as_it_will(browser: Browser, receiver: Receiver):
    browser.post("/faults", kind="shuffle", times=3)
    its_id = browser.buy()["subscription_id"]
    browser.act(its_id, "cancel")
    assert not receiver.bodies
    browser.act(its_id, "end")
    receiver.wait(3)
    assert sorted(receiver.kinds()) == ["cancellation", "sale", "subscription_ended"]


def test_a_file_of_before_goes_on(tmp_path, open_store):
    first = open_store(ping_url="")
    its_id = Browser(first).buy()["subscription_id"]
    first.close()
    with sqlite3.connect(tmp_path / "gumroad.sqlite") as db:
        for column in ("quantity", "account_email", "offer_code", "charges"):
            db.execute(f"alter table subscriptions drop column {column}")
    second = Browser(open_store(ping_url=""))
    assert second.act(its_id, "cancel")["subscription"]["status"] == "pending_cancellation"
    assert second.state()["sales"][0]["quantity"] == 1
