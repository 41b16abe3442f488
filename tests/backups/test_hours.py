"""Hours in which backups may begin: what counts against a host, and what does not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backups import watch
from backups.hours import FAR, is_open, open_between
from backups.models import Repository, Stored
from engine.models import Alarm
from servers.models import Server

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
hours = st.none() | st.integers(0, 24)
moments = st.timedeltas(timedelta(), timedelta(days=365)).map(lambda span: NOON + span)


@pytest.mark.parametrize(
    ("first", "last", "hour", "open_"),
    [(None, None, 3, True), (22, 6, 23, True), (22, 6, 5, True), (22, 6, 6, False), (1, 4, 4, False), (1, 4, 1, True),
     (5, 5, 12, True), (0, 24, 12, True)],
)  # fmt: skip
def test_the_hours_are_those_of_the_agent(
    first: int | None, last: int | None, hour: int, open_: bool
) -> None:
    assert is_open(first, last, NOON.replace(hour=hour)) is open_


def test_only_open_hours_count() -> None:
    assert open_between(22, 6, NOON, NOON + 24 * HOUR) == 8 * HOUR
    assert open_between(22, 6, NOON, NOON + 9 * HOUR) == timedelta()
    assert open_between(22, 6, NOON, NOON + 10.5 * HOUR) == 0.5 * HOUR
    assert open_between(None, None, NOON, NOON + 5 * HOUR) == 5 * HOUR


@given(hours, hours, moments, st.timedeltas(timedelta(), timedelta(days=60)))
def test_what_is_open_is_never_more_than_what_went_by(
    first: int | None, last: int | None, start: datetime, length: timedelta
) -> None:
    found = open_between(first, last, start, start + length)
    assert timedelta() <= found <= min(length, FAR)
    if length >= FAR:
        window = ((last or 0) - (first or 0)) % 24 if first is not None and last is not None else 0
        assert found == 3 * (window or 24) * HOUR


def test_a_pause_that_its_owner_set_is_no_trouble(server: Server) -> None:
    now = timezone.now()
    Stored.objects.create(
        home=server.pk,
        kind="snapshots",
        name="a" * 64,
        bytes=1,
        state="stored",
        signed_at=now,
        stored_at=now - 5 * HOUR,
    )
    closed = {"hours_from": (now.hour + 2) % 24, "hours_to": (now.hour + 4) % 24}
    Repository.objects.update(**closed)
    watch.look()
    assert not Alarm.objects.filter(key__endswith=":old", closed_at=None).exists()
    Repository.objects.update(hours_from=None, hours_to=None)
    watch.look()
    assert Alarm.objects.filter(key__endswith=":old", closed_at=None).exists()
