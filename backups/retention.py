"""How long a restore point is kept: pure functions of its date, of the plans that were in force, and of the time.

A point is dated by when we saw it in the storage, never by its host's clock. A plan's time counts from the moment when the plan
takes effect, for points that are there already too: a shorter one releases what is older, a longer one asks for what is still there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

GRACE = timedelta(hours=1)  # for the host's own forgetting, on top of one interval
OURS_BEFORE = timedelta(minutes=20)  # so much sooner we do it ourselves: the clock looks every five minutes
TRASH = timedelta(days=1)  # between a removal and the end of the bytes
LONG_AGO = datetime.min.replace(tzinfo=UTC)
URL_LIFE = timedelta(minutes=15)  # of a signed address
SEEN_WITHIN = timedelta(minutes=30)  # from a point's writing to its date, if its host does not tell us of it


@dataclass(frozen=True)
class Term:
    """From `since` on a point was to be kept for `keep`; the first term counts for all time before it, too."""

    since: datetime
    keep: timedelta


def released_since(made: datetime, terms: Sequence[Term], now: datetime) -> datetime | None:
    """Since when, without a break, the plan in force has no longer asked for this point; None while it does."""
    since = None
    for term in _newest_first(terms, now):
        ends = made + term.keep
        if ends > now or (since is not None and ends >= since):
            break
        since = max(ends, term.since)
        if ends > term.since:
            break
    return since


def _newest_first(terms: Sequence[Term], now: datetime) -> list[Term]:
    """Those that have begun; the first of all has no beginning."""
    first, *others = sorted(terms, key=lambda one: one.since)
    begun = [Term(LONG_AGO, first.keep), *(one for one in others if one.since <= now)]
    return begun[::-1]


def may_go_since(
    made: datetime, newer: datetime | None, terms: Sequence[Term], now: datetime
) -> datetime | None:
    """Since when it may be removed; None while it may not. `newer` is when the next point came: the newest stays."""
    released = released_since(made, terms, now)
    return None if released is None or newer is None else max(released, newer)


def must_go_by(free_since: datetime, every: timedelta) -> datetime:
    """Till when its host forgets it, if backups are made `every` so long."""
    return free_since + every + GRACE


def is_overdue(free_since: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether we remove it ourselves now, so that the promise holds."""
    return free_since is not None and now >= must_go_by(free_since, every) - OURS_BEFORE


def longest(keep: timedelta, every: timedelta) -> timedelta:
    """From a point's writing to the end of its bytes, at the latest, whatever its host does; the newest point apart."""
    return SEEN_WITHIN + keep + every + GRACE + TRASH
