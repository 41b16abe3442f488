"""A subscription lives and ends as the vendor's do, and each change is told."""

import pytest

from tests.sandbox.gumroad.conftest import Browser, Receiver, eventually

DAY = 86400.0


@pytest.fixture
def bought(browser: Browser, receiver: Receiver) -> str:
    its_id = browser.buy()["subscription_id"]
    receiver.wait(1)
    return its_id


def status(browser: Browser) -> str:
    return browser.state()["subscriptions"][0]["status"]


def told(receiver: Receiver, count: int) -> list[str]:
    """The kinds of the pings after the first sale."""
    return [ping["resource_name"] for ping in receiver.wait(1 + count)[1:]]


def test_a_cancellation_is_told_at_once_and_ends_with_the_paid_time(store, browser, receiver, bought):
    browser.act(bought, "cancel")
    assert told(receiver, 1) == ["cancellation"]
    ping = receiver.pings[1]
    assert (ping["cancelled"], ping["cancelled_by_buyer"]) == ("true", "true")
    assert ping["cancelled_at"] > ping["created_at"]
    assert (ping["user_email"], ping["user_id"]) == ("alice@example.test", "")
    assert not {"email", "seller_id", "sale_id", "variants[Tier]"} & set(ping)
    assert status(browser) == "pending_cancellation"
    assert store.age(32 * DAY) == ["The subscription of alice@example.test ended: cancelled."]
    assert told(receiver, 2)[1] == "subscription_ended"
    assert receiver.pings[2]["ended_reason"] == "cancelled"
    assert status(browser) == "cancelled"


def test_paid_time_that_is_over_is_paid_again_as_often_as_needed(store, browser, receiver):
    browser.buy(url_params={"checkout_ref": "r"})
    said = store.age(63 * DAY)
    assert said == ["The subscription of alice@example.test was renewed."] * 2
    sales = receiver.wait(3)
    assert [ping.get("is_recurring_charge") for ping in sales] == [None, "true", "true"]
    assert [ping.get("url_params[checkout_ref]") for ping in sales] == ["r", None, None]
    assert len({ping["sale_id"] for ping in sales}) == 3
    assert status(browser) == "alive"


def test_a_year_is_paid_tenfold_and_lasts_a_year(store, browser, receiver):
    browser.buy(tier="Pro", recurrence="yearly")
    assert receiver.wait(1)[0]["price"] == "79000"
    assert store.age(364 * DAY) == []
    assert len(store.age(2 * DAY)) == 1


def test_the_end_of_the_period_can_be_brought_forward(browser, receiver, bought):
    browser.act(bought, "cancel")
    assert browser.act(bought, "end")["subscription"]["status"] == "cancelled"
    assert told(receiver, 2) == ["cancellation", "subscription_ended"]
    assert browser.refused(f"/subscriptions/{bought}/end")[0] == 409


def test_a_pending_cancellation_can_be_withdrawn_without_a_charge(browser, receiver, bought):
    browser.act(bought, "cancel")
    told(receiver, 1)
    browser.act(bought, "restart")
    assert told(receiver, 2)[1] == "subscription_restarted"
    assert status(browser) == "alive"
    assert len(browser.state()["sales"]) == 1


def test_buying_again_while_active_is_refused(browser, bought):
    code, sentence = browser.refused("/buy", email="Alice@Example.test", tier="Plus")
    assert code == 409
    assert "already" in sentence


def test_buying_again_after_the_end_takes_the_same_subscription_up(browser, receiver, bought):
    browser.act(bought, "cancel")
    browser.act(bought, "end")
    told(receiver, 2)
    again = browser.buy(tier="Plus")
    assert again["subscription_id"] == bought
    assert sorted(told(receiver, 4)[2:]) == ["sale", "subscription_restarted"]
    sale = next(ping for ping in receiver.pings if ping.get("sale_id") == again["sale_id"])
    assert (sale["is_recurring_charge"], sale["variants[Tier]"]) == ("true", "Plus")
    assert status(browser) == "alive"


def test_what_the_seller_cancelled_is_not_taken_up_again(browser, bought):
    browser.act(bought, "cancel", by="seller")
    browser.act(bought, "end")
    assert browser.refused(f"/subscriptions/{bought}/restart")[0] == 409
    assert browser.buy()["subscription_id"] != bought


def test_a_failed_payment_is_told_as_cancelled_and_ended(browser, receiver, bought):
    browser.act(bought, "fail")
    told(receiver, 2)
    cancelled, ended = sorted(receiver.pings[1:], key=lambda ping: ping["resource_name"])
    assert cancelled["cancelled_due_to_payment_failures"] == "true"
    assert ended["ended_reason"] == "failed_payment"
    row = browser.state()["subscriptions"][0]
    assert (row["status"], row["cancelled_at"]) == ("failed_payment", None)
    assert row["failed_at"]


def test_a_declined_card_is_tried_for_five_days_in_silence(store, browser, receiver, bought):
    browser.act(bought, "decline")
    assert status(browser) == "pending_failure"
    assert store.age(4 * DAY) == []
    assert len(receiver.bodies) == 1
    assert len(store.age(DAY)) == 1
    assert set(told(receiver, 2)) == {"cancellation", "subscription_ended"}
    assert status(browser) == "failed_payment"


def test_a_part_that_is_given_back_leaves_refunded_false(browser, receiver, bought):
    browser.act(bought, "refund", amount_cents=500)
    assert told(receiver, 1) == ["refund"]
    assert receiver.pings[1]["refunded"] == "false"
    browser.act(bought, "refund")
    assert told(receiver, 2)[1] == "refund"
    assert receiver.pings[2]["refunded"] == "true"
    assert browser.refused(f"/subscriptions/{bought}/refund")[0] == 409
    assert status(browser) == "alive"


def test_a_refund_finishes_a_cancellation_that_was_pending(browser, receiver, bought):
    browser.act(bought, "cancel")
    told(receiver, 1)
    browser.act(bought, "refund")
    assert sorted(told(receiver, 3)[1:]) == ["refund", "subscription_ended"]
    assert status(browser) == "cancelled"


def test_a_dispute_ends_and_a_dispute_won_restarts(browser, receiver, bought):
    browser.act(bought, "dispute")
    assert sorted(told(receiver, 3)) == ["cancellation", "dispute", "subscription_ended"]
    assert status(browser) == "cancelled"
    browser.act(bought, "dispute_won")
    assert sorted(told(receiver, 5)[3:]) == ["dispute_won", "subscription_restarted"]
    assert status(browser) == "alive"
    assert len(browser.state()["sales"]) == 1


def test_a_dispute_of_what_has_ended_moves_its_end_and_tells_no_second_one(store, browser, receiver, bought):
    browser.act(bought, "cancel")
    browser.act(bought, "end")
    store.age(3 * DAY)
    before = browser.state()["subscriptions"][0]["cancelled_at"]
    browser.act(bought, "dispute")
    assert sorted(told(receiver, 4)) == ["cancellation", "cancellation", "dispute", "subscription_ended"]
    assert browser.state()["subscriptions"][0]["cancelled_at"] > before


def test_a_dispute_won_brings_back_even_what_the_seller_had_cancelled(browser, receiver, bought):
    browser.act(bought, "cancel", by="seller")
    browser.act(bought, "end")
    browser.act(bought, "dispute")
    browser.act(bought, "dispute_won")
    assert {"dispute_won", "subscription_restarted"} <= set(told(receiver, 6))
    assert status(browser) == "alive"


def test_a_dispute_that_is_lost_is_told_to_nobody(browser, receiver, bought):
    browser.act(bought, "dispute")
    told(receiver, 3)
    browser.act(bought, "dispute_lost")
    eventually(lambda: browser.state_of_pings() == ["delivered"] * 4)
    assert browser.refused(f"/subscriptions/{bought}/dispute_won")[0] == 404
    assert status(browser) == "cancelled"


def test_an_upgrade_is_charged_at_once_and_told(browser, receiver, bought):
    browser.act(bought, "upgrade", tier="Pro")
    told(receiver, 2)
    sale = next(ping for ping in receiver.pings[1:] if ping["resource_name"] == "sale")
    change = next(ping for ping in receiver.pings if ping["resource_name"] == "subscription_updated")
    assert (sale["variants[Tier]"], sale["is_recurring_charge"], sale["price"]) == ("Pro", "true", "6000")
    assert change["type"] == "upgrade"
    assert (change["old_plan[tier][name]"], change["new_plan[tier][name]"]) == ("Basic", "Pro")
    assert change["new_plan[price_cents]"] == "7900"


def test_a_downgrade_is_told_now_and_comes_with_the_next_charge(store, browser, receiver):
    its_id = browser.buy(tier="Pro")["subscription_id"]
    receiver.wait(1)
    browser.act(its_id, "downgrade", tier="Basic")
    assert told(receiver, 1) == ["subscription_updated"]
    change = receiver.pings[1]
    assert (change["type"], change["effective_as_of"] > change["created_at"]) == ("downgrade", True)
    store.age(32 * DAY)
    assert told(receiver, 2)[1] == "sale"
    assert (receiver.pings[2]["variants[Tier]"], receiver.pings[2]["price"]) == ("Basic", "1900")


def test_a_downgrade_that_is_taken_back_tells_nobody(store, browser, receiver):
    its_id = browser.buy(tier="Pro")["subscription_id"]
    browser.act(its_id, "change", tier="Basic")
    receiver.wait(2)
    browser.act(its_id, "change", tier="Pro")
    store.age(32 * DAY)
    assert told(receiver, 2)[1] == "sale"
    assert receiver.pings[2]["variants[Tier]"] == "Pro"


def test_a_purchase_by_the_seller_is_a_test_and_never_renewed(store, browser, receiver):
    browser.buy(email="seller@example.com")
    ping = receiver.wait(1)[0]
    assert (ping["test"], ping["price"]) == ("true", "0")
    assert store.age(60 * DAY) == []


@pytest.mark.parametrize(
    "order",
    [{"email": "alice", "tier": "Basic"}, {"tier": "Basic"}, {"email": "a@b.test", "tier": "Gold"},
     {"email": "a@b.test", "tier": "Pro", "recurrence": "weekly"}, {"email": "a@b.test", "tier": "Pro", "url_params": [1]}],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_in_words(browser, order):
    code, sentence = browser.refused("/buy", **order)
    assert code == 400
    assert sentence.endswith(".")


def test_what_is_not_there_is_said(browser, bought):
    assert browser.refused("/subscriptions/none/cancel")[0] == 404
    assert browser.refused(f"/subscriptions/{bought}/explode")[0] == 404
    eventually(lambda: browser.state_of_pings() == ["delivered"])
