"""Restore points, the newest first, by day, in pages that are turned by key."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q
from django.utils import timezone

from backups.models import Point, Repository

PAGE = 72  # three days of hours


@dataclass
class Day:
    """A day in the reader's zone."""

    date: date
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """`older` is the key that the next page begins after; empty on the last one."""

    days: list[Day]
    older: str
    first: bool


def page_of(repository: Repository, before: str = "") -> Page:
    rows = Point.objects.filter(repository=repository, gone_at=None)
    last = _last(repository, before)
    if last:
        rows = rows.filter(Q(stored_at__lt=last.stored_at) | Q(stored_at=last.stored_at, pk__lt=last.pk))
    found = list(rows.order_by("-stored_at", "-pk")[: PAGE + 1])
    shown = found[:PAGE]
    return Page(_days(shown), str(shown[-1].pk) if len(found) > PAGE else "", last is None)


def _last(repository: Repository, key: str) -> Point | None:
    """Where the page before ended, also if that point has left since."""
    return Point.objects.filter(repository=repository, pk=int(key)).first() if is_key(key) else None


def is_key(text: str) -> bool:
    """Whether it can be the key of a page."""
    return text.isascii() and text.isdigit() and len(text) < 19


def _days(points: list[Point]) -> list[Day]:
    days: list[Day] = []
    for point in points:
        day = timezone.localtime(point.at).date()
        if not days or days[-1].date != day:
            days.append(Day(day))
        days[-1].points.append(point)
    return days
