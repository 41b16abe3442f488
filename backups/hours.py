"""The hours in which a server may back up, as its owner set them: UTC, from 22 to 6 is over midnight, equal ones are all."""

from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
FAR = timedelta(days=3)  # more than that is long enough, whatever the hours are


def is_open(first: int | None, last: int | None, at: datetime) -> bool:
    """Whether a backup may begin at this time of UTC."""
    if first is None or last is None or first % 24 == last % 24:
        return True
    first, last = first % 24, last % 24
    return first <= at.hour < last if first < last else at.hour >= first or at.hour < last


def open_between(first: int | None, last: int | None, start: datetime, end: datetime) -> timedelta:
    """How much of this time backups might have begun; of more than three days only those are counted."""
    at, found = max(start, end - FAR), timedelta()
    while at < end:
        next_hour = at.replace(minute=0, second=0, microsecond=0) + HOUR
        if is_open(first, last, at):
            found += min(next_hour, end) - at
        at = next_hour
    return found
