"""Drills: a month after the last one the newest restore point is restored on the host and compared; what comes of it is judged here."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from backups import actions, rows
from backups.hours import is_open as is_open_at
from backups.models import Job, Repository, Stored
from backups.removal import FREE, balance

EVERY = timedelta(days=30)
FIRST_WITHIN = timedelta(hours=20)  # of the first restore point, at a moment of each server's own
AGAIN = timedelta(days=1)  # after one that failed, or that nobody answered
SUSPICIOUS = 0.1  # of what is stored
OLD = timedelta(days=40)  # without a good drill nothing is proven any more
BY = "program:Drill"
# What a job says that its host never answered: neither proves anything.
NOT_ANSWERED, ENDED = "its host did not answer within a week", "the server has ended"


def _answered(home: UUID) -> Any:
    """Drills that a host carried out, well or not, the latest first."""
    known = Job.objects.filter(repository_id=home, do=Job.Do.DRILL).exclude(state=Job.State.WANTED)
    return known.exclude(why__in=(NOT_ANSWERED, ENDED)).order_by("-done_at", "-asked_at")


def latest(home: UUID) -> Job | None:
    """The drill that was answered last."""
    found: Job | None = _answered(home).first()
    return found


def latest_good(home: UUID) -> Job | None:
    """The last one that found everything as it was."""
    found: Job | None = _answered(home).filter(state=Job.State.DONE).first()
    return found


def first_point(home: UUID) -> datetime | None:
    """When the oldest restore point that is there was seen."""
    stored = Stored.objects.filter(home=home, kind=Stored.Kind.SNAPSHOTS, state=Stored.State.STORED)
    return stored.order_by("stored_at").values_list("stored_at", flat=True).first()


def due(home: UUID) -> datetime | None:
    """When the next drill is to be asked for; None while there is nothing to restore."""
    begun = first_point(home)
    if begun is None:
        return None
    last = Job.objects.filter(repository_id=home, do=Job.Do.DRILL).order_by("-asked_at").first()
    if last is None:
        return begun + spread(home)
    return (last.done_at or last.asked_at) + (EVERY if last.state != Job.State.FAILED else AGAIN)


def spread(home: UUID) -> timedelta:
    """A part of a day that is each server's own, so that they do not all read at once."""
    return timedelta(seconds=home.int % int(FIRST_WITHIN.total_seconds()))


def ask(repository: Repository, now: datetime) -> Job | None:
    """Asks for the drill that is due, in the hours in which the server may back up; not while one is open."""
    if repository.jobs.open().filter(do=Job.Do.DRILL).exists() or not is_open(repository, now):
        return None
    at = due(repository.pk)
    if at is None or (at > now and not much_was_removed(repository.pk, now)):
        return None
    try:
        return actions.want_job(home=repository.pk, do=Job.Do.DRILL, args={}, by=BY)
    except (actions.TooManyJobs, actions.NoBackups):
        return None


def much_was_removed(home: UUID, now: datetime) -> bool:
    """Within a day more than a tenth of what was older: a prune after much was deleted, or a thief below the limit.

    Which of them it is the drill tells, while everything is in the trash still. Once a day is enough.
    """
    lately = Job.objects.filter(repository_id=home, do=Job.Do.DRILL, asked_at__gt=now - AGAIN)
    found = balance(rows.sums(home))
    much = max(FREE, (found.old_here + found.old_gone) * SUSPICIOUS)
    return found.old_gone > much and not lately.exists()


def want(*, home: UUID, by: str) -> Job:
    """Somebody wants one now; the one that is open is that one. Raises NoBackups, TooManyJobs."""
    open_ = Job.objects.open().filter(repository_id=home, do=Job.Do.DRILL).first()
    return open_ or actions.want_job(home=home, do=Job.Do.DRILL, args={}, by=by)


def is_open(repository: Repository, now: datetime) -> bool:
    """Whether the host may move much at this hour, UTC; from 22 to 6 is over midnight."""
    return is_open_at(repository.hours_from, repository.hours_to, now)


def troubles(repository: Repository, now: datetime) -> Iterator[tuple[str, str, str]]:
    """A drill that failed, until one does not; and proof that is too old."""
    last = latest(repository.pk)
    if last is not None and last.state == Job.State.FAILED:
        yield "drill", f"Its drill of {last.done_at:%Y-%m-%d %H:%M} UTC failed: {last.why}", SEE_DRILL
    since = unproven_since(repository.pk)
    if since and now - since > OLD:
        yield "unproven", f"No drill has found its backups whole for {(now - since).days} days.", SEE_OLD


def unproven_since(home: UUID) -> datetime | None:
    """The last good drill, else since when the first was to be; None while there is nothing to restore."""
    if good := latest_good(home):
        return good.done_at
    first = Job.objects.filter(repository_id=home, do=Job.Do.DRILL).order_by("asked_at").first()
    return first.asked_at if first else due(home)


SEE_DRILL = (
    "Do not let older restore points go before it is known why. A new backup and another drill tell whether it lasts; "
    "the repository's page lists its objects, and the comparison with the bucket names those that are missing."
)
SEE_OLD = "Does its host report, and has its disk room for the largest mailbox? A drill can be asked for on the server's page."


def forget(now: datetime) -> None:
    """Answered jobs leave after their time; the proofs stay a year, and the newest good one of each server always."""
    settled = Job.objects.exclude(state=Job.State.WANTED)
    for kinds, kept in KEPT:
        settled.filter(do__in=kinds, done_at__lt=now - kept).filter(~Q(pk__in=_newest_good())).delete()


def _newest_good() -> Any:
    good = Job.objects.filter(do=Job.Do.DRILL, state=Job.State.DONE)
    return good.order_by("repository_id", "-done_at").distinct("repository_id").values("pk")


KEPT = (
    ((Job.Do.LOOK, Job.Do.BACKUP, Job.Do.PRUNE), timedelta(days=30)),
    ((Job.Do.DRILL, Job.Do.RESTORE), timedelta(days=366)),
)
