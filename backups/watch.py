"""What the clock looks at: restore points that are older than promised, and repositories that are not as they should be."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from audit.actions import record
from backups import alarms, drills, rows
from backups.asked import Named
from backups.gate_removals import SNAPSHOTS, free_since, points_gone
from backups.hours import open_between
from backups.models import Export, Job, Point, Repository, Stored
from backups.retention import GRACE, OURS_BEFORE, TRASH, is_overdue

FIRST_WITHIN = timedelta(hours=6)  # the first backup of a full disk takes long
NOT_FORGOTTEN = timedelta(days=1)
COMPARED = timedelta(days=7)  # of points with each other
SHRUNK = 0.5
MUCH = 64 * 2**20  # bytes; less than that may come and go
MANY = 100  # messages
LOOKED_AT = ("none", "old", "growing", "shrinking", "not_forgotten", "drill", "unproven")


def enforce() -> int:
    """Snapshots that their hosts should have forgotten go into the trash; returns how many."""
    return sum(_enforce(repository) for repository in _suspects())


def _suspects() -> list[Repository]:
    """Repositories with a snapshot that is old enough to be looked at."""
    return list(Repository.objects.raw(SUSPECTS, [GRACE - OURS_BEFORE]))


SUSPECTS = """
SELECT one.* FROM backups_repository AS one WHERE ended_at IS NULL AND EXISTS (
  SELECT FROM backups_stored AS stored WHERE stored.home = one.home AND kind = 'snapshots' AND state = 'stored'
     AND stored_at <= statement_timestamp() - one.keep - one.every - %s)"""


@transaction.atomic
def _enforce(repository: Repository) -> int:
    held = Repository.objects.select_for_update(no_key=True).living().filter(pk=repository.pk).first()
    if held is None:
        return 0
    now = timezone.now()
    over = [name for name, since in free_since(held, now).items() if is_overdue(since, held.every, now)]
    if not over:
        return 0
    rows.trash(held.pk, [Named(SNAPSHOTS, name) for name in over], TRASH)
    points_gone(held.pk, over, now)
    if held.not_forgotten_since is None:
        held.not_forgotten_since = now
        held.save(update_fields=["not_forgotten_since"])
    record(
        "backup.retention_enforced", by="clock", account=held.account_id, subject=held.server, points=len(over)
    )  # fmt: skip
    return len(over)


def look() -> None:
    """Opens and closes the alarms of every repository; the bucket's rows count, whatever hosts say."""
    for repository in Repository.objects.living().order_by("pk").iterator(chunk_size=500):
        now = timezone.now()
        _look(repository, now)
        drills.ask(repository, now)


def _look(repository: Repository, now: datetime) -> None:
    wrong = {kind: (says, advice) for kind, says, advice in _troubles(repository, now)}
    for kind in LOOKED_AT:
        if kind in wrong:
            _open(repository, kind, *wrong[kind])
        else:
            alarms.close(kind, repository.pk)


def _open(repository: Repository, kind: str, says: str, advice: str) -> None:
    if alarms.open_once(kind, repository.pk, says, advice):
        record(
            "backup.trouble_began", by="clock", account=repository.account_id, subject=repository.server,
            code=kind, says=says,
        )  # fmt: skip


def _troubles(repository: Repository, now: datetime) -> Iterator[tuple[str, str, str]]:
    newest = _newest(repository)
    since = newest or repository.began_at
    might = open_between(repository.hours_from, repository.hours_to, since, now)
    if newest is None and might > max(2 * repository.every, FIRST_WITHIN):
        yield "none", f"It has no backup, {_ago(now - repository.began_at)} after it was to begin.", SEE_HOST
    if newest is not None and might > 2 * repository.every:
        yield "old", f"Its newest backup is {_ago(now - newest)} old.", SEE_HOST
    if (size := _bytes(repository)) > repository.room:
        yield "growing", f"Its backups take {size:,} bytes; the plan has {repository.room:,}.", SEE_GROWTH
    if shrunk := _shrunk(repository, now):
        yield "shrinking", shrunk, SEE_SHRINKING
    unforgotten = repository.not_forgotten_since
    if unforgotten and now - unforgotten > NOT_FORGOTTEN:
        yield (
            "not_forgotten",
            f"Its host has forgotten no old restore point for {_ago(now - unforgotten)}.",
            SEE_PRUNE,
        )
    yield from drills.troubles(repository, now)


def _newest(repository: Repository) -> datetime | None:
    stored = Stored.objects.filter(home=repository.pk, kind=SNAPSHOTS, state="stored")
    return stored.order_by("-stored_at").values_list("stored_at", flat=True).first()


def _bytes(repository: Repository) -> int:
    here = Stored.objects.filter(home=repository.pk, state__in=("signed", "stored"))
    return int(here.aggregate(total=Sum("bytes"))["total"] or 0)


def _shrunk(repository: Repository, now: datetime) -> str:
    """The newest point beside the largest of the last days, as the host describes them."""
    points = list(
        Point.objects.filter(repository=repository, stored_at__gt=now - COMPARED).order_by("-stored_at")[:200]
    )
    if len(points) < 2:
        return ""
    newest = points[0]
    most, many = max(one.bytes for one in points), max(one.messages for one in points)
    less = newest.bytes < SHRUNK * most and most - newest.bytes > MUCH
    fewer = newest.messages < SHRUNK * many and many - newest.messages > MANY
    if not (less or fewer):
        return ""
    return (
        f"Its newest backup has {newest.messages:,} messages and {newest.bytes:,} bytes; "
        f"within a week one had {many:,} and {most:,}."
    )


def _ago(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


SEE_HOST = (
    "Does the server report? Its last report says what its backup is doing, and why the last one failed."
)
SEE_GROWTH = "Does its host prune? Is much changed each day, or does somebody fill the storage?"
SEE_SHRINKING = "Ask the customer whether so much was deleted on purpose; older restore points are there until their time is over."
SEE_PRUNE = "We removed those points ourselves; the bytes that only they needed stay until its host prunes."


def forget_gone() -> None:
    """Points and exports that left a month ago need no row; jobs that nobody answered do not stay open, nor answered ones for ever."""
    now = timezone.now()
    Point.objects.filter(gone_at__lt=now - timedelta(days=30)).delete()
    Export.objects.filter(removed_at__lt=now - timedelta(days=30)).delete()
    late = Job.objects.open().filter(asked_at__lt=now - Job.GIVEN_UP)
    late.update(state=Job.State.FAILED, why=drills.NOT_ANSWERED, done_at=now)
    drills.forget(now)
