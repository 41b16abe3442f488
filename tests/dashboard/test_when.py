"""Times as people say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpRequest
from django.utils import timezone

from dashboard import when

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday


def asked(cookie: str) -> HttpRequest:
    request = HttpRequest()
    request.COOKIES["zone"] = cookie
    return request


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("Europe%2FBerlin", ZoneInfo("Europe/Berlin")),
        ("America/Argentina/Buenos_Aires", ZoneInfo("America/Argentina/Buenos_Aires")),
        ("", UTC),
        ("Mars/Olympus", UTC),
        ("../../etc/passwd", UTC),
        ("/etc/passwd", UTC),
        ("Europe", UTC),
        ("Europe/Berlin\x00", UTC),
        ("A" * 5000, UTC),
        ("%F0%9F%98%80", UTC),
    ],
)
def test_only_a_zone_that_exists_is_believed(cookie: str, zone: object) -> None:
    assert when.zone_of(asked(cookie)) == zone


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (NOW, "today at 12:00"),
        (NOW - timedelta(days=1), "yesterday at 12:00"),
        (NOW + timedelta(hours=13), "tomorrow at 01:00"),
        (NOW + timedelta(days=7), "Saturday 28 November at 12:00"),
        (NOW - timedelta(days=300), "25 January 2026 at 12:00"),
        (NOW + timedelta(days=60), "20 January 2027 at 12:00"),
    ],
)
def test_a_moment(at: datetime, says: str) -> None:
    assert when.moment(at, NOW) == says


def test_a_day_begins_at_the_readers_midnight() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert when.moment(late, NOW) == "yesterday at 23:30"
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert when.moment(late, NOW) == "today at 00:30"


def test_a_document_says_the_same_on_every_day() -> None:
    assert when.exact(NOW) == "21 November 2026, 12:00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "less than a second"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (119, "1 minute 59 seconds"),
        (150, "2 minutes"),
        (3660, "1 hour 1 minute"),
        (86400 * 7, "7 days"),
        (86400 * 5 + 3600 * 4 + 59, "5 days 4 hours"),
        (-5, "less than a second"),
    ],
)
def test_a_length_of_time(seconds: float, says: str) -> None:
    assert when.duration(seconds) == says


def test_about_changes_only_now_and_then() -> None:
    assert when.about(31) == when.about(34) == "30 seconds"
    assert when.about(2) == "a few seconds"
    assert when.about(3700) == "1 hour"
