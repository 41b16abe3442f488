"""Gumroad tells only of what it was asked to tell of: each kind of event is asked for once, at the address that we have."""

import json
import logging
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from billing.listening import Listen, address
from billing.policy import EVENTS
from billing.reconcile import Reconcile
from billing.tasks import listen
from engine import actions as engine
from engine import worker
from engine.models import Alarm, Run
from mailat import celery
from tests.billing.reconciling import open_alarms, reconciled
from tests.billing.standin import StandIn, standing_in
from tests.integration.test_killed import is_step
from tests.killing import dies_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gumroad(tmp_path: Path, settings: Any) -> Iterator[StandIn]:
    with standing_in(tmp_path) as one:
        settings.GUMROAD_API_URL = one.url
        yield one


def work() -> None:
    """Until all has ended; also the lease of the dead runs out."""
    for _ in range(100):
        live = Run.objects.filter(finished_at=None)
        if not live.update(due_at=timezone.now() - timedelta(hours=1)):
            return
        for pk in live.values_list("pk", flat=True):
            worker.work(pk)
    raise AssertionError("it does not come to an end")


def listened() -> None:
    listen()
    work()


def test_one_reconciliation_asks_for_every_kind_and_the_next_finds_them(gumroad: StandIn) -> None:
    assert gumroad.listeners() == []
    engine.start(Reconcile, subject="gumroad")
    work()
    assert sorted(gumroad.listeners()) == sorted((kind, address()) for kind in EVENTS)
    assert Event.objects.get(action="gumroad.asked_to_tell").facts == {"kinds": list(EVENTS), "removed": 0}
    engine.start(Reconcile, subject="gumroad")
    work()
    assert len(gumroad.listeners()) == 8
    assert Event.objects.filter(action="gumroad.asked_to_tell").count() == 1


@pytest.mark.integration
@pytest.mark.parametrize("step", [name for name in vars(Listen) if is_step(vars(Listen)[name])])
def test_killed_at_any_step_each_kind_is_asked_for_once(gumroad: StandIn, step: str) -> None:
    gumroad.ask("refund", address().removesuffix("tests") + "before")
    gumroad.ask("sale", address())
    listen()
    assert dies_at("Listen", step, work) == signal.SIGKILL
    work()
    assert sorted(gumroad.listeners()) == sorted((kind, address()) for kind in EVENTS)


def test_what_somebody_took_away_is_asked_for_again_and_noted(gumroad: StandIn) -> None:
    listened()
    gumroad.forget("cancellation")
    listened()
    assert len(gumroad.listeners()) == 8
    newest = Event.objects.filter(action="gumroad.asked_to_tell").latest("pk")
    assert newest.facts == {"kinds": ["cancellation"], "removed": 0}


def test_what_was_asked_twice_and_a_former_address_of_ours_are_removed(
    gumroad: StandIn, settings: Any
) -> None:
    listened()
    gumroad.ask("sale", address())
    elsewhere = ("sale", "http://elsewhere.test/hooks/gumroad/word")
    gumroad.ask(*elsewhere)
    settings.GUMROAD_WEBHOOK_SECRET = "another-word"
    gumroad.ask("sale", "http://before.test/hooks/gumroad/another-word")
    listened()
    assert sorted(gumroad.listeners()) == sorted([elsewhere, *((kind, address()) for kind in EVENTS)])
    assert Event.objects.filter(action="gumroad.asked_to_tell").latest("pk").facts["removed"] == 10


def test_where_gumroad_refuses_staff_are_told_without_the_address_and_sales_are_read(
    gumroad: StandIn, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BASE_URL = "ftp://no-address-for-pings"
    with caplog.at_level(logging.DEBUG):
        assert reconciled().error == ""
        work()
    assert "sale" in open_alarms()[0]
    assert "BASE_URL" in Alarm.objects.get().advice
    told = [*open_alarms(), caplog.text, *(json.dumps(run.args) + run.outcome for run in Run.objects.all())]
    assert not [text for text in told if "webhook-secret-for-tests" in text]
    settings.BASE_URL = "http://testserver"
    listened()
    assert not open_alarms()


def test_the_clock_asks_for_events_when_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(celery.app, "send_task", sent.append)
    celery.look_at_once()
    assert listen.name in sent
