"""Seven days are never early, and late by no more than a tick once workers are up: in all zones, over clock changes,
whoever comes back, whoever puts it off, and however often workers die."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import available_timezones

import pytest
from django.conf import settings as our
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Letter
from audit.models import Event
from servers import actions
from servers.models import Destruction
from tests.servers.seven_days import GRACE, NOTICE, SevenDays, in_berlin

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("posix"))
HAPPENS = ["the end", "comes back", "put off", "time", "the day is near", "workers", "tick", "a death"]
EXAMPLES = {"nightly": 400}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 12)
HOURS = st.one_of(st.floats(0, 2), st.floats(0, 30), st.floats(140, 200))
OF_WORK = st.floats(0, 6)
pytestmark = pytest.mark.django_db


@contextmanager
def and_forgotten() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def happens(life: SevenDays, what: str, data: st.DataObject) -> None:
    match what:
        case "the end" if not life.has_begun:
            ago = timedelta(
                hours=data.draw(st.one_of(st.just(0.0), st.floats(0, 24 * 30)), label="hours ago")
            )
            life.hears_of_the_end(ago, data.draw(st.sampled_from(ZONES), label="zone"))
        case "comes back":
            life.comes_back()
        case "put off":
            life.is_put_off(data.draw(st.integers(1, 30), label="days"))
        case "time":
            life.time_passes(timedelta(hours=data.draw(HOURS, label="hours without workers")))
        case "the day is near" if life.due:
            left = life.due - life.now() - timedelta(hours=data.draw(st.floats(-1, 3), label="hours before"))
            life.time_passes(max(timedelta(), left))
        case "workers":
            ticks = st.floats(0, our.ENGINE_TICK_SECONDS)
            life.workers_work(
                data.draw(OF_WORK, label="hours with workers"), lambda: data.draw(ticks, label="tick")
            )
        case "a death":
            life.a_worker_dies()
    if what in ("tick", "the end", "comes back"):
        life.a_tick()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(HAPPENS), min_size=3, max_size=12), data=st.data())
def test_never_early_and_no_more_than_a_tick_late(account: Account, steps: list[str], data: st.DataObject):
    with and_forgotten():
        life = SevenDays(account)
        for what in ["the end", *steps]:
            happens(life, what, data)
        if life.due and not life.has_begun:
            life.time_passes(
                max(timedelta(), life.due - life.now()) + timedelta(seconds=our.ENGINE_LEASE_SECONDS * 10)
            )
            life.a_tick()
            assert life.has_begun


@pytest.fixture
def life(account: Account) -> SevenDays:
    return SevenDays(account)


def test_a_second_before_nothing_and_a_second_after_all(life: SevenDays):
    life.hears_of_the_end(timedelta(), "Europe/Berlin")
    life.time_passes(GRACE - timedelta(seconds=30))
    life.a_tick()
    assert not life.has_begun
    life.time_passes(timedelta(seconds=30))
    life.a_tick()
    assert life.has_begun
    assert Event.objects.filter(action="destruction.begun").count() == 1


def test_an_end_heard_of_late_still_has_its_day(life: SevenDays):
    life.hears_of_the_end(timedelta(days=400), "Pacific/Auckland")
    life.time_passes(NOTICE - timedelta(minutes=1))
    life.a_tick()
    assert not life.has_begun
    life.time_passes(timedelta(minutes=1))
    life.a_tick()
    assert life.has_begun


def test_who_comes_back_and_leaves_again_has_seven_days_anew(life: SevenDays):
    life.hears_of_the_end(timedelta(), "America/New_York")
    life.time_passes(timedelta(days=6, hours=23))
    life.comes_back()
    life.a_tick()
    life.hears_of_the_end(timedelta(), "America/New_York")
    life.time_passes(timedelta(days=6, hours=23))
    life.a_tick()
    assert not life.has_begun
    life.time_passes(timedelta(hours=1))
    life.a_tick()
    assert life.has_begun


def test_who_comes_back_a_moment_too_late_is_told_so_and_one_before_is_not(life: SevenDays):
    life.hears_of_the_end(timedelta(), "UTC")
    life.time_passes(GRACE)
    life.comes_back()
    life.a_tick()
    assert Destruction.objects.count() == 0
    life.hears_of_the_end(timedelta(), "UTC")
    life.time_passes(GRACE)
    life.a_tick()
    life.comes_back()
    assert life.has_begun


def test_days_without_workers_begin_it_at_the_first_tick_after(life: SevenDays):
    life.hears_of_the_end(timedelta(), "UTC")
    life.time_passes(timedelta(days=30))
    assert not life.has_begun
    life.a_tick()
    assert life.has_begun


def test_a_worker_that_dies_over_it_delays_it_by_its_lease_and_not_longer(life: SevenDays):
    life.hears_of_the_end(timedelta(), "UTC")
    life.time_passes(GRACE)
    for death in range(1, 4):
        life.a_worker_dies()
        life.a_tick()
        assert not life.has_begun
        life.time_passes(timedelta(seconds=our.ENGINE_LEASE_SECONDS * death))
    life.a_tick()
    assert life.has_begun
    assert Letter.objects.filter(kind="destruction_scheduled").count() == 1


@pytest.mark.parametrize("ended", [in_berlin(2096, 3, 22, 12), in_berlin(2096, 10, 25, 12)])
def test_seven_days_are_168_hours_though_clocks_change_within_them(life: SevenDays, ended):
    row = actions.schedule_destruction(server=life.server, ended_at=ended, reason="cancelled", by="gumroad")
    assert row
    assert row.due_at.astimezone(ended.tzinfo).utcoffset() != ended.utcoffset()
    assert (row.due_at.timestamp() - ended.timestamp()) / 3600 == 168
    assert our.DESTRUCTION_GRACE == GRACE


@pytest.mark.parametrize("off", [timedelta(hours=3), timedelta(days=40)])
def test_a_worker_whose_clock_is_ahead_begins_nothing_early(life: SevenDays, off: timedelta):
    life.hears_of_the_end(timedelta(), "UTC")
    with life.a_wrong_clock(off):
        life.time_passes(GRACE - timedelta(hours=1))
        for taken in life.take():
            life.step(taken)
    assert not life.has_begun


def test_a_worker_whose_clock_is_behind_begins_it_in_time(life: SevenDays):
    life.hears_of_the_end(timedelta(), "UTC")
    life.time_passes(GRACE)
    with life.a_wrong_clock(timedelta(days=-2)):
        for taken in life.take():
            life.step(taken)
    assert life.has_begun
