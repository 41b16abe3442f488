"""What other rooms ask of backups; which server, plan and agent it is about comes with the question."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.actions import record
from backups import bucket, escrow
from backups.asked import HASH
from backups.escrow import hand_over
from backups.models import Job, Repository, Retention, Stored
from backups.programs.empty import EmptyRepository
from backups.reported import note_report
from engine import actions as engine
from engine.alarms import close_alarm
from vault import actions as vault

__all__ = [
    "allow_removals", "bring_back", "ensure_repository", "forget_home", "hand_over", "is_forgotten", "note_report",
    "set_limits", "want_job", "wanted",
]  # fmt: skip
ALLOWED_FOR = timedelta(days=1)
MOST_OPEN = 10  # jobs of a server at once


class TooManyJobs(Exception):
    """A server is asked for as much as it may be already."""


class NoBackups(Exception):
    """This server has no backups, or has them no more."""


@transaction.atomic
def ensure_repository(*, account: UUID, home: UUID, keep: timedelta, room: int, by: str) -> Repository | None:
    """There is a repository, and it has the plan's retention and room; None where there is no storage, or it ended."""
    if not bucket.is_set_up():
        return None
    key, public = escrow.sealing_key()
    made = {"account_id": account, "bucket": settings.STORAGE_BUCKET, "keep": keep, "every": settings.BACKUP_EVERY,
            "room": room, "escrow_key": key, "escrow_public": public}  # fmt: skip
    repository, new = Repository.objects.select_for_update(no_key=True).get_or_create(
        home=home, defaults=made
    )
    if repository.ended_at:
        return None
    if new:
        record("backup.begun", by=by, account=account, subject=repository.server, keep=str(keep))
    if new or repository.keep != keep:
        _promise(repository, keep, by)
    _keep_up(repository, room, key, public)
    return repository


def _promise(repository: Repository, keep: timedelta, by: str) -> None:
    """From now on restore points are kept for so long."""
    before = repository.keep
    repository.keep = keep
    repository.save(update_fields=["keep"])
    Retention.objects.create(repository=repository, keep=keep, by=by)
    if before != keep:
        record(
            "backup.retention_changed", by=by, account=repository.account_id, subject=repository.server,
            before=str(before), now=str(keep),
        )  # fmt: skip


def _keep_up(repository: Repository, room: int, key: str, public: str) -> None:
    """Until its password is kept it is to be sealed to the vault's newest key."""
    repository.room, repository.every = room, settings.BACKUP_EVERY
    if repository.secret_id is None:
        repository.escrow_key, repository.escrow_public = key, public
    repository.save(update_fields=["room", "every", "escrow_key", "escrow_public"])


def wanted(home: UUID) -> dict[str, Any] | None:
    """The field `backup` of the server's order; None where there are no backups. It changes nothing."""
    repository = Repository.objects.living().filter(pk=home).first()
    if repository is None or not bucket.is_set_up():
        return None
    hours = [repository.hours_from, repository.hours_to]
    jobs = list(repository.jobs.open().order_by("asked_at", "pk"))
    order: dict[str, Any] = {
        "keep": int(repository.keep.total_seconds()),
        "every": int(repository.every.total_seconds()),
        "hours": None if None in hours else hours,
        "kib_s": repository.kib_s,
        "escrow": escrow.order(repository),
        "jobs": [{**job.args, "id": str(job.pk), "do": job.do} for job in jobs],
    }
    known = _known(repository, {job.args["point"] for job in jobs if job.args.get("point")})
    return (
        order
        | ({"password": repository.handed} if repository.handed else {})
        | ({"known": known} if known else {})
    )


def _known(repository: Repository, names: set[str]) -> list[dict[str, Any]]:
    """What was reported of these points when they were made: a machine that did not make them need not look."""
    rows = repository.points.filter(snapshot__in=names, gone_at=None, manifest__regex=f"^{HASH.pattern}$")
    return [
        {
            "id": row.snapshot, "at": row.at.timestamp(), "bytes": row.bytes, "mailboxes": row.mailboxes,
            "messages": row.messages, "manifest": row.manifest,
        }
        for row in rows.order_by("stored_at", "pk")
    ]  # fmt: skip


@transaction.atomic
def set_limits(*, home: UUID, hours: tuple[int, int] | None, kib_s: int | None, by: str) -> None:
    """When a server may back up, in hours UTC, and with how many KiB a second. Raises NoBackups."""
    repository = _held(home)
    repository.hours_from, repository.hours_to = hours or (None, None)
    repository.kib_s = kib_s
    repository.save(update_fields=["hours_from", "hours_to", "kib_s"])
    record(
        "backup.limits_set", by=by, account=repository.account_id, subject=repository.server, hours=hours, kib_s=kib_s
    )  # fmt: skip
    engine.wake(subject=repository.server)


def _held(home: UUID) -> Repository:
    repository = Repository.objects.select_for_update(no_key=True).living().filter(pk=home).first()
    if repository is None:
        raise NoBackups
    return repository


@transaction.atomic
def want_job(*, home: UUID, do: str, args: dict[str, Any], by: str) -> Job:
    """The host is asked to do this once; what is asked already in the same words is not asked twice.

    Raises NoBackups, TooManyJobs.
    """
    repository = _held(home)
    open_ = list(repository.jobs.open())
    for job in open_:
        if (job.do, job.args) == (do, args):
            return job
    if len(open_) >= MOST_OPEN:
        raise TooManyJobs
    job = Job.objects.create(repository=repository, do=Job.Do(do), args=args, by=by)
    record(
        "backup.job_wanted", by=by, account=repository.account_id, subject=repository.server, do=do,
        job=str(job.pk), args=_for_the_log(args),
    )  # fmt: skip
    engine.wake(subject=repository.server)
    return job


def _for_the_log(args: dict[str, Any]) -> dict[str, Any]:
    """Without the words by which messages are chosen: they may be what a mail is about."""
    chosen = args.get("chosen")
    return {**args, "chosen": sorted(name for name, said in chosen.items() if said)} if chosen else args


@transaction.atomic
def allow_removals(*, home: UUID, by: str, why: str) -> None:
    """For a day the host may remove as much as it wants, within the retention; for staff. Raises NoBackups."""
    repository = _held(home)
    repository.removals_allowed_until = timezone.now() + ALLOWED_FOR
    repository.save(update_fields=["removals_allowed_until"])
    record(
        "backup.removals_allowed", by=by, account=repository.account_id, subject=repository.server, why=why
    )
    close_alarm(f"backups:{home}:removals")


@transaction.atomic
def bring_back(*, home: UUID, by: str, why: str) -> int:
    """Everything in the trash is stored again, but for snapshots whose time is over; for staff. Raises NoBackups."""
    repository = _held(home)
    trash = Stored.objects.filter(home=home, state="trashed", stored_at__isnull=False).exclude(kind="locks")
    back = trash.exclude(kind="snapshots").update(state="stored", trashed_at=None, leaves_at=None)
    record(
        "backup.trash_brought_back", by=by, account=repository.account_id, subject=repository.server, objects=back,
        why=why,
    )  # fmt: skip
    return back


@transaction.atomic
def forget_home(*, home: UUID, by: str) -> bool:
    """The server ends: its password is shredded at once, then every object is removed by a program. False: nothing was kept.

    Saying so again changes nothing.
    """
    repository = Repository.objects.select_for_update(no_key=True).filter(pk=home).first()
    if repository is None:
        return False
    if repository.ended_at:
        return True
    if repository.secret_id:
        vault.shred(secret=repository.secret_id, by=by, why="its server has ended")
    repository.ended_at, repository.ended_by = timezone.now(), by
    repository.handed = repository.handed_to = ""
    repository.save(update_fields=["ended_at", "ended_by", "handed", "handed_to"])
    repository.exports.all().end("the server has ended")
    repository.jobs.open().update(state=Job.State.FAILED, why="the server has ended", done_at=timezone.now())
    record("backup.ended", by=by, account=repository.account_id, subject=repository.server)
    engine.start(EmptyRepository, subject=repository.subject)
    return True


def is_forgotten(home: UUID) -> dict[str, Any] | None:
    """What a receipt says of the bucket once nothing was found there any more; None until then."""
    repository = Repository.objects.filter(pk=home, emptied_at__isnull=False).first()
    if repository is None:
        return None
    return {"bucket": repository.bucket, "objects": repository.removed, "bytes": repository.removed_bytes}
