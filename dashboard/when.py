"""Times as people say them, in the reader's zone."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone that the reader's browser told by a cookie; UTC if it told none that exists."""
    name = unquote(request.COOKIES.get("zone", ""))
    if len(name) > 64 or not ZONE_NAME.fullmatch(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return UTC


def zone_name() -> str:
    """How a page names the zone that its times are in."""
    return timezone.get_current_timezone_name().replace("_", " ")


def moment(at: datetime, now: datetime | None = None) -> str:
    """A point in time: with the weekday when it is near, with the year when it is far."""
    there = timezone.localtime(at)
    today = timezone.localtime(now or timezone.now()).date()
    days = (there.date() - today).days
    clock = date_format(there, "H:i")
    if days in (-1, 0, 1):
        near = {-1: _("yesterday at %s"), 0: _("today at %s"), 1: _("tomorrow at %s")}
        return near[days] % clock
    pattern = "l j F" if abs(days) < 60 and there.year == today.year else "j F Y"
    return _("%(day)s at %(clock)s") % {"day": date_format(there, pattern), "clock": clock}


def day(at: datetime) -> str:
    """A day, with its weekday."""
    return date_format(timezone.localtime(at), "l j F Y")


def exact(at: datetime) -> str:
    """Date, time and zone in full."""
    return date_format(timezone.localtime(at), "j F Y, H:i:s T")


def units(seconds: float) -> list[tuple[int, str]]:
    """The length as days, hours, minutes and seconds, those that are not nothing."""
    whole = max(int(seconds), 0)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    named = [
        (days, ngettext("%d day", "%d days", days)),
        (hours, ngettext("%d hour", "%d hours", hours)),
        (minutes, ngettext("%d minute", "%d minutes", minutes)),
        (left, ngettext("%d second", "%d seconds", left)),
    ]
    return [(number, words) for number, words in named if number]


def duration(length: float | timedelta) -> str:
    """A length of time in its two largest units; seconds are told only below two minutes."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < 1:
        return _("less than a second")
    if seconds >= 120:
        seconds -= seconds % 60
    return " ".join(words % number for number, words in units(seconds)[:2])


def about(length: float | timedelta) -> str:
    """A length of time that need not be exact, so that a page that shows it does not change all the time."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < 5:
        return _("a few seconds")
    if seconds < 120:
        return duration(seconds - seconds % 5)
    number, words = units(seconds)[0]
    return words % number
