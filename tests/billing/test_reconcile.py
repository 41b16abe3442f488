"""What pings missed is found by reconciliation, which may be killed anywhere, and leaves a receipt."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from billing import actions, reconcile
from billing.life import take_turn
from billing.models import Ping, Reconciliation, Subscription
from engine import actions as engine
from engine import lease
from engine.models import Alarm, Run
from servers.models import Destruction
from tests.billing.conftest import Deliver
from tests.billing.reconciling import open_alarms, receipt, reconciled, step
from tests.billing.shop import Shop
from tests.billing.test_turns import in_another_worker

pytestmark = pytest.mark.django_db
Status = Subscription.Status


def test_what_no_ping_told_of_is_found(shop: Shop) -> None:
    for number in range(23):
        shop.buy(email=f"p{number}@example.test")
    row = reconciled()
    assert receipt(row) == (23, 0, 23, 0, "")
    assert (row.since, row.ended_at is None, row.by) == (None, False, "staff:1")
    assert Subscription.objects.filter(status=Status.ALIVE).count() == 23
    assert not open_alarms()
    assert Event.objects.get(action="gumroad.reconcile_asked").facts["reason"] == "to see"


def test_what_is_right_is_left_alone(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    events = Event.objects.count()
    assert receipt(reconciled()) == (1, 1, 0, 0, "")
    assert Event.objects.count() == events + 1


def test_an_end_and_a_return_that_no_ping_told_of_are_found(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    row, bought = Subscription.objects.get(), shop.bought["sub1=="]
    actions.make_server(subscription=row, name="bakery", place="fsn1", by="user:1")
    shop.end(bought, days_ago=1)
    assert reconciled().repaired == 1
    assert Destruction.objects.get().due_at == bought.cancelled_at + timedelta(days=7)
    bought.cancelled_at, bought.deactivated = None, False  # a dispute that was won charges nothing
    assert reconciled().repaired == 1
    row.refresh_from_db()
    assert (row.status, Destruction.objects.exists()) == (Status.ALIVE, False)


def test_what_is_not_understood_is_told_once_and_changes_nothing(shop: Shop) -> None:
    for tier, product in (
        ("Gold", "product=="),
        ("Plus", "book=="),
        ("Plus", "book=="),
        ("Plus", "product=="),
    ):
        shop.buy(tier=tier, product=product)
    del shop.sales["sale4=="]["id"]
    assert receipt(reconciled()) == (4, 0, 0, 4, "")
    assert len(open_alarms()) == 3, "two of one product have one cause"
    assert receipt(reconciled()) == (4, 0, 0, 4, ""), "what puzzled is read again however old it is"
    assert len(open_alarms()) == 3
    assert not Subscription.objects.exists()
    shop.sales["sale1=="]["variants"] = {"Tier": "Pro"}
    shop.sales["sale4=="]["id"] = "sale4=="
    assert reconciled().repaired == 2
    assert [says for says in open_alarms() if "Gold" in says] == []


def test_a_subscription_that_gumroad_does_not_know_any_more_is_told_of_and_kept(
    shop: Shop, deliver: Deliver
) -> None:
    deliver(shop.buy()[0])
    shop.hidden.add("sub1==")
    assert reconciled().puzzling == 1
    assert Subscription.objects.get().status == Status.ALIVE
    assert "sub1==" in open_alarms()[0]
    shop.hidden.clear()
    reconciled()
    assert not open_alarms()


def test_while_gumroad_is_closed_the_receipt_says_so_and_then_it_goes_on(shop: Shop) -> None:
    shop.buy()
    shop.closed = True
    row = reconciled(steps=3)
    assert (row.ended_at, row.error[:6]) == (None, "waits:")
    shop.closed = False
    assert receipt(reconciled()) == (1, 0, 1, 0, "")
    assert Reconciliation.objects.count() == 1, "one that is under way goes on"


def test_without_a_usable_token_it_is_given_up_and_a_person_is_told(shop: Shop, settings: Any) -> None:
    settings.GUMROAD_TOKEN = ""
    row = reconciled()
    assert row.ended_at
    assert "token" in row.error
    assert "GUMROAD_TOKEN" in Alarm.objects.get().advice
    settings.GUMROAD_TOKEN = "right"
    assert reconciled().error == ""
    assert not open_alarms()


def test_the_list_is_read_from_its_beginning_where_a_key_has_grown_old(shop: Shop) -> None:
    for number in range(12):
        shop.buy(email=f"p{number}@example.test")
    shop.stale_keys.add("10")
    row = reconciled()
    assert row.error, "once anew and not for ever"
    shop.stale_keys.clear()
    assert receipt(reconciled()) == (12, 10, 2, 0, "")


def test_sales_are_read_from_shortly_before_the_last_success(shop: Shop) -> None:
    first = reconciled()
    Reconciliation.objects.update(began_at=timezone.now() - timedelta(days=30))
    first.refresh_from_db()
    failed = Reconciliation.objects.create(by="clock", ended_at=timezone.now(), error="refused")
    assert reconciled().since == (first.began_at - timedelta(days=7)).date()
    assert failed.error


class Killed(BaseException):
    """As if the process were gone: nothing of the transaction stays, and nobody cleans up."""


def test_killed_after_any_step_it_ends_as_if_it_had_not_been(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        shop.buy(email=f"p{number}@example.test")
    settle, kills = lease.settle, []

    def killed(taken: lease.Taken, outcome: object) -> bool:
        place = (taken.run.step, str({**taken.run.args, "row": None}))
        if place not in kills:
            kills.append(place)
            raise Killed
        return settle(taken, outcome)  # type: ignore[arg-type]

    monkeypatch.setattr(lease, "settle", killed)
    actions.reconcile(by="clock")
    for _ in range(300):
        try:
            if not step():
                break
        except Killed:
            continue
    assert {name for name, _ in kills} == {"begin", "read_sales", "repair_sold", "look_at_known", "conclude"}
    (row,) = Reconciliation.objects.all()
    assert receipt(row) == (12, 0, 12, 0, "")
    assert Event.objects.filter(action="subscription.began").count() == 12


def test_it_waits_while_somebody_else_is_at_a_subscription(transactional_db: None, shop: Shop) -> None:
    shop.buy()
    engine.start(reconcile.Reconcile, subject=reconcile.SUBJECT)
    with transaction.atomic():
        take_turn("sub1==")
        in_another_worker(lambda: [step() for _ in range(4)])
        assert not Subscription.objects.exists()
    while step():
        pass
    assert receipt(Reconciliation.objects.get()) == (1, 0, 1, 0, "")


def test_staff_are_told_when_none_succeeded_for_long(shop: Shop) -> None:
    reconcile.watch()
    assert Run.objects.get(program="Reconcile"), "the first one begins by itself"
    step()
    assert not open_alarms()
    Run.objects.all().delete()
    Reconciliation.objects.update(
        began_at=timezone.now() - timedelta(hours=40), ended_at=timezone.now() - timedelta(hours=39)
    )
    for _ in range(2):
        reconcile.watch()
    assert len(open_alarms()) == 1
    assert "36 hours" in open_alarms()[0]
    while step():
        pass
    assert not open_alarms()
    reconcile.watch()
    assert not Run.objects.filter(program="Reconcile", finished_at=None).exists()


def test_the_command_asks_for_one(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reconcile")
    while step():
        pass
    call_command("reconcile")
    told = capsys.readouterr().out
    assert "Asked for." in told
    assert "0 repaired" in told


def test_pings_and_reconciliation_go_through_one_door(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    reconciled()
    assert deliver(body).became == Ping.Became.APPLIED
    assert Event.objects.filter(action="subscription.began").count() == 1
