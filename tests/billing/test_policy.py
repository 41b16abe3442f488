"""The policy is data: the code acts by it, the page is made from it, and each oddity has its test."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from billing import actions, last_look, policy
from billing.models import Ping, Subscription
from billing.policy import EVENTS, PUZZLES, STATES
from billing.policy_cases import CASES
from billing.policy_page import PAGE, page
from engine import lease, worker
from engine.models import Alarm, Run
from servers.models import Destruction
from tests.billing.conftest import Deliver
from tests.billing.shop import Bought, Shop, encode

Became, Status = Ping.Became, Subscription.Status
ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_would_be_made_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run manage.py gumroad_policy"


def test_every_oddity_names_a_test_that_exists() -> None:
    written = "".join(path.read_text() for path in (ROOT / "tests" / "billing").glob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", written))
    assert {case.proof for case in CASES} <= there | {"test_any_life_ends_as_the_api_tells"}


def test_each_event_and_state_of_gumroad_has_its_rule() -> None:
    """As in https://gumroad.com/ping and `status` of app/models/subscription.rb."""
    assert set(EVENTS) == {
        "sale", "refund", "dispute", "dispute_won", "cancellation", "subscription_updated", "subscription_ended",
        "subscription_restarted",
    }  # fmt: skip
    assert set(STATES) == {
        "alive", "pending_cancellation", "pending_failure", "failed_payment", "fixed_subscription_period_ended", "cancelled",
    }  # fmt: skip


def test_every_question_to_a_person_is_asked_somewhere() -> None:
    code = "".join(path.read_text() for path in (ROOT / "billing").glob("*.py"))
    assert set(re.findall(r'Puzzle\.of\(\s*"(\w+)"', code)) == set(PUZZLES)


@pytest.fixture
def bought(shop: Shop, deliver: Deliver, db: None) -> Bought:
    deliver(shop.buy()[0])
    row = Subscription.objects.get()
    actions.make_server(subscription=row, name="bakery", place="fsn1", by="user:1")
    return shop.bought["sub1=="]


def the_row() -> Subscription:
    return Subscription.objects.get()


def open_alarms() -> list[str]:
    return list(Alarm.objects.filter(closed_at=None).values_list("says", flat=True))


@pytest.mark.parametrize(
    ("then", "alarms", "ends"), [("nothing", 0, False), ("tell", 1, False), ("end", 1, True)]
)
def test_what_follows_a_refund_is_a_setting(
    shop: Shop, deliver: Deliver, bought: Bought, settings: Any, then: str, alarms: int, ends: bool
) -> None:
    settings.GUMROAD_REFUND_ENDS = then
    for body in shop.refund("sale1==", in_full=True) * 2:
        assert deliver(body).became == Became.APPLIED
    row = the_row()
    assert (row.returned, row.status == Status.ENDED) == ("refunded", ends)
    assert (len(open_alarms()), Destruction.objects.count()) == (alarms, int(ends))
    assert Event.objects.filter(action="subscription.money_returned").count() == 1
    deliver(shop.charge(bought)[0])
    row = the_row()
    assert (row.returned, row.status, open_alarms()) == ("", Status.ALIVE, [])
    assert not Destruction.objects.exists()


def test_an_end_by_policy_is_not_begun_anew_by_gumroads_own(
    shop: Shop, deliver: Deliver, bought: Bought, settings: Any
) -> None:
    settings.GUMROAD_REFUND_ENDS = "end"
    deliver(shop.refund("sale1==", in_full=True)[0])
    Subscription.objects.update(returned_at=timezone.now() - timedelta(days=2))
    due = Destruction.objects.get().due_at
    deliver(shop.end(bought)[0])
    assert Destruction.objects.get().due_at <= due
    assert the_row().ended_reason == "refunded"


def test_a_part_that_is_given_back_or_an_older_charge_changes_nothing(
    shop: Shop, deliver: Deliver, bought: Bought, settings: Any
) -> None:
    settings.GUMROAD_REFUND_ENDS = "end"
    deliver(shop.refund("sale1==")[0])
    deliver(shop.charge(bought)[0])
    deliver(shop.refund("sale1==", in_full=True)[0])
    assert (the_row().returned, the_row().status, open_alarms()) == ("", Status.ALIVE, [])


def test_a_dispute_is_told_of_until_it_is_won(shop: Shop, deliver: Deliver, bought: Bought) -> None:
    for body in reversed(shop.dispute(bought)):
        deliver(body)
    assert (the_row().status, the_row().returned) == (Status.ENDED, "disputed")
    assert len(open_alarms()) == 1
    for body in reversed(shop.win(bought)):
        deliver(body)
    assert (the_row().status, the_row().returned, open_alarms()) == (Status.ALIVE, "", [])
    assert not Destruction.objects.exists()


def test_with_a_setting_that_is_no_word_of_ours_nothing_starts(settings: Any) -> None:
    policy.check_settings()
    settings.GUMROAD_REFUND_ENDS = "perhaps"
    with pytest.raises(ImproperlyConfigured, match="GUMROAD_REFUND_ENDS must be one of nothing, tell, end"):
        policy.check_settings()


@pytest.mark.django_db
def test_a_gift_makes_its_receiver_the_customer(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.give("giver@example.test", "bob@example.test")
    assert deliver(body).became == Became.APPLIED
    assert the_row().account.people.get().email == "bob@example.test"


@pytest.mark.django_db
def test_a_free_trial_is_served_like_any_other(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    shop.sales["sale1=="]["price"] = 0
    assert deliver(body).became == Became.APPLIED
    bought = shop.bought["sub1=="]
    assert deliver(shop.charge(bought)[0]).became == Became.APPLIED
    assert (the_row().status, the_row().plan) == (Status.ALIVE, "plus")


def test_a_fixed_length_ends_like_any_other(shop: Shop, deliver: Deliver, bought: Bought) -> None:
    bought.completed_at = timezone.now()
    bought.deactivated = True
    deliver(shop.ping(bought, "subscription_ended", ended_reason="fixed_subscription_period_ended"))
    assert the_row().ended_reason == "fixed_subscription_period_ended"
    assert Destruction.objects.get().due_at == bought.completed_at + timedelta(days=7)


def test_several_at_once_need_a_person(shop: Shop, deliver: Deliver, bought: Bought) -> None:
    bought.tier = "Pro"
    (body,) = shop.charge(bought)
    shop.sales["sale2=="]["quantity"] = 2
    shop.cancel(bought)
    assert deliver(body).became == Became.PUZZLING
    assert (the_row().plan, the_row().status) == ("plus", Status.ENDING), "the rest is not held up"
    (body,) = shop.buy(email="charlie@example.test")
    shop.sales["sale3=="]["quantity"] = 0
    assert deliver(body).became == Became.PUZZLING
    assert not Account.objects.filter(people__email="charlie@example.test").exists()


@pytest.mark.django_db
def test_the_address_typed_at_the_checkout_is_the_customers(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    shop.sales["sale1=="]["email"] = shop.bought["sub1=="].email = "other@example.test"
    deliver(body)
    row = the_row()
    assert (row.email, row.gumroad_email) == ("alice@example.test", "other@example.test")
    assert list(row.account.people.values_list("email", flat=True)) == ["alice@example.test"]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["sale_id", "subscription_id"])
def test_a_checkout_field_may_hide_a_real_one(shop: Shop, deliver: Deliver, key: str) -> None:
    shop.buy()
    kind = "sale" if key == "sale_id" else "cancellation"
    ping = deliver(encode({key: "mine", "custom_fields": {key: "mine"}, "resource_name": kind}))
    assert (ping.became, key in ping.note) == (Became.PUZZLING, True)
    assert shop.asked == []


def test_a_return_that_no_ping_told_of_is_found_before_the_server_goes(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.end(bought)[0])
    assert last_look.look_before_the_end() == 0, "it was asked a moment ago"
    Subscription.objects.update(checked_at=timezone.now() - timedelta(minutes=11))
    assert last_look.look_before_the_end() == 0, "the day is far"
    bought.cancelled_at, bought.deactivated = None, False
    Destruction.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    assert last_look.look_before_the_end() == 1
    for taken in lease.take(run_id=Run.objects.get(program="AskAgain").pk):
        worker.walk(taken, until=float("inf"))
    assert the_row().status == Status.ALIVE
    assert not Destruction.objects.exists()
    assert last_look.look_before_the_end() == 0
