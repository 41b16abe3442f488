"""What is not understood changes nothing by a guess, is told to a person, and can be read again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from billing import actions
from billing.models import Ping, Subscription
from billing.puzzle import Puzzle
from engine.models import Alarm, Run
from tests.billing.conftest import Deliver, work_on
from tests.billing.reconciling import receipt, reconciled
from tests.billing.shop import Shop, encode

pytestmark = pytest.mark.django_db
Became, Status = Ping.Became, Subscription.Status


def open_alarms() -> list[Alarm]:
    return list(Alarm.objects.filter(closed_at=None))


def test_an_unknown_tier_is_not_guessed_and_is_read_again_once_it_is_mended(
    shop: Shop, deliver: Deliver
) -> None:
    (body,) = shop.buy(tier="Gold")
    ping, again = deliver(body), deliver(body)
    assert (ping.became, again.became) == (Became.PUZZLING, Became.PUZZLING)
    assert not Subscription.objects.exists()
    assert not Account.objects.exists()
    (alarm,) = open_alarms()
    assert "Gold" in alarm.says
    assert "Basic, Plus, Pro" in alarm.advice

    shop.sales["sale1=="]["variants"] = {"Tier": "Pro"}
    actions.read_again(ping=ping, by="staff:1")
    assert work_on(ping).became == Became.APPLIED
    assert Subscription.objects.get().plan == "pro"
    assert open_alarms() == []


@pytest.mark.parametrize(
    "variants", [{}, {"Tier": ""}, {"Colour": "Plus"}, {"Tier": "Plus", "tier ": "Pro"}, {"Tier": "plus2"}]
)
def test_no_tier_or_two_are_not_guessed(shop: Shop, deliver: Deliver, variants: dict[str, str]) -> None:
    (body,) = shop.buy()
    shop.sales["sale1=="]["variants"] = variants
    assert deliver(body).became == Became.PUZZLING
    assert not Subscription.objects.exists()


def test_another_product_is_no_server(shop: Shop, deliver: Deliver) -> None:
    for body in shop.buy(product="book==") + shop.buy(product="book=="):
        assert deliver(body).became == Became.PUZZLING
    deliver(shop.cancel(shop.bought["sub1=="])[0])
    assert len(open_alarms()) == 1, "one cause, one alarm"
    assert not Subscription.objects.exists()


def test_what_the_seller_sells_besides_is_left_alone_once_it_is_named(
    shop: Shop, deliver: Deliver, settings: Any
) -> None:
    ping = deliver(shop.buy(product="book==")[0])
    shop.spoiled["sale1=="] = {"subscription_id": None}
    (alarm,) = open_alarms()
    assert "GUMROAD_OTHER_PRODUCTS" in alarm.advice
    settings.GUMROAD_OTHER_PRODUCTS = {"film==", "book==", "product=="}
    actions.read_again(ping=ping, by="staff:1")
    assert work_on(ping).became == Became.IGNORED
    assert not open_alarms()
    assert deliver(shop.cancel(shop.bought["sub1=="])[0]).became == Became.IGNORED
    assert deliver(shop.buy(email="bob@example.test")[0]).became == Became.APPLIED, "ours is ours"
    assert receipt(reconciled()) == (2, 1, 0, 0, "")
    assert not open_alarms()


def test_a_reconciliation_closes_what_was_asked_about_another_product(shop: Shop, settings: Any) -> None:
    shop.buy(product="book==")
    assert reconciled().puzzling == 1
    settings.GUMROAD_OTHER_PRODUCTS = {"book=="}
    after = reconciled()
    assert (after.puzzling, after.puzzled_since, open_alarms()) == (0, None, [])


def test_a_ping_cannot_make_another_product_ours(shop: Shop, deliver: Deliver) -> None:
    shop.buy(product="book==")
    body = shop.sale_ping("sale1==", product_id="product==", seller_id="seller==")
    assert deliver(body).became == Became.PUZZLING
    assert not Subscription.objects.exists()


def test_another_seller_is_not_ours(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    shop.sales["sale1=="]["seller_id"] = "somebody=="
    assert deliver(body).became == Became.PUZZLING
    assert "GUMROAD_SELLER_ID" in open_alarms()[0].advice


def test_what_is_sold_once_is_no_subscription(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    del shop.sales["sale1=="]["subscription_id"]
    assert deliver(body).became == Became.PUZZLING


@pytest.mark.parametrize("email", ["", "nobody", "a@b\nc"])
def test_an_address_that_takes_no_letters_is_told_of(shop: Shop, deliver: Deliver, email: str) -> None:
    assert deliver(shop.buy(email=email)[0]).became == Became.PUZZLING
    assert not Account.objects.exists()


def test_a_new_word_for_the_state_changes_nothing(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    deliver(body)
    shop.bought["sub1=="].__class__ = type("Paused", (type(shop.bought["sub1=="]),), {"status": "paused"})
    ping = deliver(body)
    assert (ping.became, "paused" in ping.note) == (Became.PUZZLING, True)
    assert Subscription.objects.get().status == Status.ALIVE


def test_a_test_purchase_is_not_served(shop: Shop, deliver: Deliver) -> None:
    shop.buy()
    ping = deliver(shop.sale_ping("sale1==", test=True))
    assert (ping.became, shop.asked) == (Became.IGNORED, [])
    assert not open_alarms()


def test_an_event_of_a_subscription_in_which_nothing_counts_is_told_of(shop: Shop, deliver: Deliver) -> None:
    shop.buy()
    shop.bought["sub1=="].sales.clear()
    ping = deliver(shop.cancel(shop.bought["sub1=="])[0])
    assert ping.became == Became.PUZZLING
    assert not Subscription.objects.exists()


def test_a_sale_that_the_api_does_not_show_yet_is_waited_for(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    shop.hidden.add("sale1==")
    ping = deliver(body)
    assert ping.became == Became.NEW
    shop.hidden.clear()
    assert work_on(ping).became == Became.APPLIED


def test_a_sale_that_the_api_never_shows_is_told_of(shop: Shop, deliver: Deliver) -> None:
    ping = deliver(encode({"sale_id": "forged==", "resource_name": "sale"}))
    assert ping.became == Became.NEW
    Ping.objects.update(received_at=timezone.now() - timedelta(minutes=21))
    assert work_on(ping).became == Became.PUZZLING
    assert "forged==" in open_alarms()[0].says


def test_while_gumroad_is_closed_a_ping_waits_and_nothing_is_lost(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    shop.closed = True
    ping = deliver(body)
    assert (ping.became, Run.objects.get(program="ApplyPing").error[:8]) == (Became.NEW, "TryLater")
    shop.closed = False
    assert work_on(ping).became == Became.APPLIED


def test_an_upgrade_that_is_charged_already_needs_nobody(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    bought = shop.bought["sub1=="]
    announcement = shop.announce(bought, "Pro")
    bought.tier = "Pro"
    shop.charge(bought)
    assert deliver(announcement).became == Became.APPLIED
    assert Subscription.objects.get().plan == "pro"


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{", b"x" * 300_000, b"resource_name=sale", b"hello"])
def test_what_cannot_be_read_is_told_of(shop: Shop, deliver: Deliver, body: bytes) -> None:
    assert deliver(body).became == Became.PUZZLING
    assert len(open_alarms()) == 1
    assert shop.asked == []


def test_a_very_long_cause_still_fits_its_alarm(db: None) -> None:
    Puzzle("x", advice="y", about="product:" + "z" * 500).tell("ping:1")
    assert len(Alarm.objects.get().key) == 160


def test_a_ping_that_waits_too_long_raises_an_alarm(shop: Shop, deliver: Deliver) -> None:
    from engine.alarms import missed_deadlines

    (body,) = shop.buy()
    shop.closed = True
    ping = deliver(body)
    Run.objects.filter(subject=ping.subject).update(deadline_at=timezone.now() - timedelta(seconds=1))
    missed_deadlines()
    assert len(open_alarms()) == 1
    shop.closed = False
    work_on(ping)
    assert open_alarms() == []
