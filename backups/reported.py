"""What a host tells of its backups; a report says what a host believes, and the rows say what is so."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actions import record
from backups.models import Job, Point, Repository, Stored
from engine import actions as engine

DATED_WITHIN = timedelta(days=2)  # a backup may take long; beyond that the host's clock is not believed
Said = dict[str, Any]


def note_report(*, home: UUID, said: Said) -> None:
    """Points whose snapshots are stored get rows, jobs their answers; it costs two looks where there is nothing new."""
    points, answers = said.get("points") or [], said.get("jobs") or []
    if points:
        _note_points(home, points)
    if answers:
        _note_jobs(home, answers)


def _note_points(home: UUID, points: Sequence[Said]) -> None:
    by_name = {one["id"]: one for one in points if one["id"]}
    known = set(
        Point.objects.filter(repository_id=home, snapshot__in=by_name).values_list("snapshot", flat=True)
    )
    new = by_name.keys() - known
    if not new:
        return
    stored = Stored.objects.filter(home=home, kind="snapshots", state="stored", name__in=new)
    made = [_point(home, by_name[name], at) for name, at in stored.values_list("name", "stored_at") if at]
    Point.objects.bulk_create(made, ignore_conflicts=True)


def _point(home: UUID, one: Said, stored_at: datetime) -> Point:
    return Point(
        repository_id=home, snapshot=one["id"], at=_dated(one["at"], stored_at), stored_at=stored_at,
        bytes=one["bytes"], mailboxes=one["mailboxes"], messages=one["messages"], manifest=one["manifest"],
    )  # fmt: skip


def _dated(at: float | None, stored_at: datetime) -> datetime:
    """By the host's clock, unless that cannot be."""
    try:
        said = datetime.fromtimestamp(at or 0, UTC)
    except (OverflowError, ValueError, OSError):
        return stored_at
    return said if stored_at - DATED_WITHIN < said <= stored_at else stored_at


def _note_jobs(home: UUID, answers: Sequence[Said]) -> None:
    states = {"done": Job.State.DONE, "failed": Job.State.FAILED}
    by_id = {one["id"]: one for one in answers if one["state"] in states}
    ids = [pk for text in by_id if (pk := _uuid(text))]
    for pk in Job.objects.open().filter(repository_id=home, pk__in=ids).values_list("pk", flat=True):
        _settle(pk, by_id[str(pk)], states)


@transaction.atomic
def _settle(pk: UUID, one: Said, states: Mapping[str, str]) -> None:
    """Once, however often and by whomever it is reported."""
    job = Job.objects.select_for_update().filter(pk=pk, state=Job.State.WANTED).first()
    if job is None:
        return
    job.state, job.why, job.result, job.done_at = (
        states[one["state"]],
        one["why"],
        one["result"],
        timezone.now(),
    )
    job.save(update_fields=["state", "why", "result", "done_at"])
    repository = Repository.objects.get(pk=job.repository_id)
    record(
        f"backup.job_{job.state}", by=f"agent:{repository.pk}", account=repository.account_id,
        subject=repository.server, job=str(pk), do=job.do, why=job.why,
    )  # fmt: skip
    engine.wake(subject=repository.server)


def _uuid(text: str) -> UUID | None:
    try:
        pk = UUID(text)
    except ValueError:
        return None
    return pk if str(pk) == text else None
