"""Gifts, trials, fixed lengths, quantities, discounts, accounts: every kind of membership that the vendor sells."""

import pytest

from clients.gumroad import Gumroad as Client
from sandbox.gumroad import Gumroad
from sandbox.gumroad.product import MONTHS
from tests.sandbox.gumroad.conftest import PRODUCT, Browser, Receiver, eventually

DAY = 86400.0


def its(browser: Browser, number: int = 0) -> dict:
    return browser.state()["subscriptions"][number]


@pytest.mark.parametrize(("recurrence", "days", "cents"), [
    ("monthly", 31, "1900"), ("quarterly", 92, "5700"), ("biannually", 184, "11400"), ("yearly", 366, "19000"),
    ("every_two_years", 731, "38000"),
])  # fmt: skip
def test_each_recurrence_has_its_length_and_its_price(store, browser, receiver, recurrence, days, cents):
    browser.buy(recurrence=recurrence)
    ping = receiver.wait(1)[0]
    assert (ping["recurrence"], ping["price"]) == (recurrence, cents)
    assert store.age((days - 4) * DAY) == []
    assert len(store.age(5 * DAY)) == 1
    assert set(MONTHS) == {"monthly", "quarterly", "biannually", "yearly", "every_two_years"}


def test_of_a_gift_only_the_receiver_is_told(browser: Browser, receiver: Receiver, client: Client):
    bought = browser.buy(email="alice@example.test", giftee_email="bob@example.test", tier="Plus")
    (ping,) = receiver.wait(1)
    assert (ping["email"], ping["gifter_email"], ping["price"]) == (
        "bob@example.test",
        "alice@example.test",
        "0",
    )
    assert (ping["gift_price"], ping["is_gift_receiver_purchase"]) == ("3900", "true")
    assert "is_recurring_charge" not in ping
    assert ping["sale_id"] == bought["sale_id"]
    (listed,) = client.sales()
    assert listed.id != bought["sale_id"]
    assert listed.created_at < client.sale(bought["sale_id"]).created_at
    assert listed.email == "bob@example.test"
    subscriber = client.subscriber(bought["subscription_id"])
    assert (subscriber.email, subscriber.purchase_ids) == ("bob@example.test", (listed.id,))


def test_the_api_calls_the_receivers_sale_a_recurring_charge_of_nothing(browser, api_url):
    browser.buy(giftee_email="bob@example.test")
    giver, receivers = browser.state()["sales"]
    assert (giver["is_gift_sender_purchase"], giver["email"], giver["price"]) == (
        True,
        "alice@example.test",
        1900,
    )
    assert (receivers["is_gift_receiver_purchase"], receivers["email"], receivers["price"]) == (
        True, "bob@example.test", 0,
    )  # fmt: skip
    assert (giver["recurring_charge"], receivers["recurring_charge"]) == (False, True)


def test_a_gift_ends_where_nobody_pays_on(store: Gumroad, browser: Browser, receiver: Receiver):
    browser.buy(giftee_email="bob@example.test")
    store.age(32 * DAY)
    assert its(browser)["status"] == "pending_failure"
    assert len(receiver.wait(1)) == 1
    store.age(5 * DAY)
    assert {ping["resource_name"] for ping in receiver.wait(3)[1:]} == {"cancellation", "subscription_ended"}
    assert its(browser)["status"] == "failed_payment"


def test_a_receiver_who_gives_a_card_pays_on(store: Gumroad, browser: Browser, receiver: Receiver):
    its_id = browser.buy(giftee_email="bob@example.test")["subscription_id"]
    store.age(32 * DAY)
    browser.act(its_id, "add_card")
    sale = receiver.wait(2)[1]
    assert (sale["email"], sale["price"], sale["is_recurring_charge"]) == ("bob@example.test", "1900", "true")
    assert its(browser)["status"] == "alive"


def test_a_gift_that_is_refunded_is_told_by_the_api_alone(
    browser: Browser, receiver: Receiver, client: Client
):
    bought = browser.buy(giftee_email="bob@example.test")
    receiver.wait(1)
    browser.act(bought["subscription_id"], "refund")
    assert len(browser.state()["pings"]) == 1
    assert client.sale(bought["sale_id"]).refunded


def test_a_gift_that_is_disputed_names_the_giver_and_ends_the_receivers(browser: Browser, receiver: Receiver):
    bought = browser.buy(giftee_email="bob@example.test")
    its_id = bought["subscription_id"]
    assert browser.refused(f"/subscriptions/{its_id}/dispute", sale_id=bought["sale_id"])[0] == 409
    browser.act(its_id, "dispute")
    told = {ping["resource_name"]: ping for ping in receiver.wait(4)}
    assert told["dispute"]["email"] == "alice@example.test"
    assert told["subscription_ended"]["user_email"] == "bob@example.test"
    assert all(sale["disputed"] for sale in browser.state()["sales"])


def test_nobody_gives_to_themselves(browser: Browser):
    assert browser.refused("/buy", email="a@b.test", giftee_email="A@b.test", tier="Basic")[0] == 409
    assert (
        browser.refused("/buy", email="seller@example.com", giftee_email="a@b.test", tier="Basic")[0] == 409
    )


def test_a_trial_costs_nothing_until_it_is_over(store, browser, receiver, client):
    bought = browser.buy(free_trial_days=14)
    first = receiver.wait(1)[0]
    assert (first["price"], "is_recurring_charge" in first) == ("0", False)
    assert its(browser)["free_trial_ends_at"] > its(browser)["created_at"]
    assert [sale.id for sale in client.sales()] == [bought["sale_id"]]
    assert store.age(13 * DAY) == []
    store.age(1.01 * DAY)
    second = receiver.wait(2)[1]
    assert (second["price"], second["is_recurring_charge"]) == ("1900", "true")


def test_a_trial_that_is_cancelled_ends_with_the_trial(store, browser, receiver):
    its_id = browser.buy(free_trial_days=14)["subscription_id"]
    browser.act(its_id, "cancel")
    ping = receiver.wait(2)[1]
    assert ping["cancelled_at"] == ping["free_trial_ends_at"]
    store.age(15 * DAY)
    assert its(browser)["status"] == "cancelled"
    assert len(browser.state()["sales"]) == 1


def test_a_fixed_length_ends_without_a_cancellation(store, browser, receiver):
    its_id = browser.buy(charges=2)["subscription_id"]
    store.age(32 * DAY)
    receiver.wait(2)
    store.age(32 * DAY)
    ended = receiver.wait(3)[2]
    assert (ended["resource_name"], ended["ended_reason"]) == (
        "subscription_ended", "fixed_subscription_period_ended",
    )  # fmt: skip
    assert (ended["charge_occurrence_count"], its(browser)["status"]) == (
        "2",
        "fixed_subscription_period_ended",
    )
    assert its(browser)["ended_at"]
    assert its(browser)["cancelled_at"] is None
    assert browser.refused(f"/subscriptions/{its_id}/restart")[0] == 409
    assert browser.buy()["subscription_id"] != its_id


def test_a_fixed_length_has_one_plan(browser: Browser):
    its_id = browser.buy(charges=2)["subscription_id"]
    assert browser.refused(f"/subscriptions/{its_id}/change", tier="Pro")[0] == 409


def test_a_quantity_is_paid_for_and_changed_as_a_plan_is(store, browser, receiver):
    its_id = browser.buy(quantity=3)["subscription_id"]
    assert (receiver.wait(1)[0]["quantity"], receiver.pings[0]["price"]) == ("3", "5700")
    browser.act(its_id, "change", quantity=2)
    change = receiver.wait(2)[1]
    assert (change["type"], change["old_plan[quantity]"], change["new_plan[quantity]"]) == (
        "downgrade",
        "3",
        "2",
    )
    store.age(32 * DAY)
    assert (receiver.wait(3)[2]["quantity"], receiver.pings[2]["price"]) == ("2", "3800")
    assert browser.refused("/buy", email="bob@example.test", tier="Basic", quantity="many")[0] == 400


def test_a_discount_is_a_text_in_a_ping_and_an_object_in_the_api(browser, receiver):
    browser.buy(offer_code="half", affiliate="charlie@example.test")
    ping = receiver.wait(1)[0]
    assert (ping["offer_code"], ping["price"], ping["affiliate"]) == ("half", "950", "charlie@example.test")
    sale = browser.state()["sales"][0]
    assert sale["offer_code"] == {"code": "half", "name": "half", "displayed_amount_off": "50%"}
    assert browser.refused("/buy", email="bob@example.test", tier="Basic", offer_code="gone")[0] == 400


def test_what_costs_nothing_is_never_charged_again_and_goes_on(store, browser, receiver):
    browser.buy(offer_code="free")
    assert receiver.wait(1)[0]["price"] == "0"
    said = store.age(63 * DAY)
    assert said == ["The subscription of alice@example.test goes on and costs nothing."] * 2
    assert (its(browser)["status"], len(browser.state()["sales"])) == ("alive", 1)


def test_an_account_at_the_vendor_has_an_address_of_its_own(browser, receiver, client):
    bought = browser.buy(email="alice@example.test", account_email="baker@example.test")
    sale = browser.state()["sales"][0]
    assert (sale["email"], sale["purchase_email"]) == ("baker@example.test", "alice@example.test")
    assert receiver.wait(1)[0]["email"] == "alice@example.test"
    assert receiver.pings[0]["purchaser_id"] == its(browser)["user_id"]
    browser.act(bought["subscription_id"], "move", email="alice@elsewhere.test")
    browser.act(bought["subscription_id"], "cancel")
    assert receiver.wait(2)[1]["user_email"] == "alice@elsewhere.test"
    assert client.subscriber(bought["subscription_id"]).email == "alice@elsewhere.test"
    assert client.sale(bought["sale_id"]).email == "alice@example.test"


def test_only_who_is_signed_in_has_a_second_subscription(browser):
    first = browser.buy()["subscription_id"]
    assert browser.refused("/buy", email="alice@example.test", tier="Basic", force_new=True)[0] == 409
    again = browser.buy(account_email="alice@example.test", force_new=True)["subscription_id"]
    assert again != first


def test_another_product_is_sold_beside_ours(browser, receiver, client):
    browser.buy(product_id="a-book==")
    browser.buy()
    assert [ping["product_id"] for ping in receiver.wait(2)] == ["a-book==", PRODUCT]
    assert {sale.product_id for sale in client.sales()} == {"a-book==", PRODUCT}
    assert {one.product_id for one in client.subscribers(PRODUCT)} == {PRODUCT}


def test_a_tier_with_another_name_is_told_by_it_from_now_on(open_store, receiver):
    first = Browser(open_store())
    its_id = first.buy(tier="Plus")["subscription_id"]
    first.act(its_id, "change", tier="Pro")
    before = receiver.wait(3)
    first.post("/tiers", tier="Pro", name="Professional")
    assert [sale["variants"] for sale in first.state()["sales"]] == [
        {"Tier": "Plus"},
        {"Tier": "Professional"},
    ]
    second = Browser(open_store())
    second.act(its_id, "change", tier="Plus")
    change = receiver.wait(4)[3]
    ids = {ping["new_plan[tier][id]"] for ping in before if "new_plan[tier][id]" in ping}
    assert ids == {change["old_plan[tier][id]"]}
    assert change["old_plan[tier][name]"] == "Professional"
    assert second.refused("/tiers", tier="Gold", name="Silver")[0] == 400


def test_a_checkout_field_stands_above_only_where_a_checkout_was(store, browser, receiver):
    browser.buy(custom_fields={"test": "true", "Domain [main]": "a.test"})
    first = receiver.wait(1)[0]
    assert (first["test"], first["custom_fields[test]"]) == ("true", "true")
    assert first["custom_fields[Domain %5Bmain%5D]"] == "a.test"
    store.age(32 * DAY)
    renewal = receiver.wait(2)[1]
    assert "test" not in renewal
    assert renewal["custom_fields[test]"] == "true"
    eventually(lambda: browser.state_of_pings() == ["delivered"] * 2)
