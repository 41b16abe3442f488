"""What a server's backups are asked while it moves to another machine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from backups.models import Job, Point


@dataclass(frozen=True)
class Stand:
    """A restore point that is there: when it was made, by its host's clock, when it was stored, and what it has."""

    snapshot: str
    at: datetime
    stored_at: datetime
    messages: int


@dataclass(frozen=True)
class Outcome:
    """What became of a job; `state` is wanted, done or failed."""

    state: str
    why: str
    result: dict[str, Any]


def newest_point(home: UUID, snapshot: str = "") -> Stand | None:
    """The newest restore point, or the named one, if it is there."""
    points = Point.objects.filter(repository_id=home, gone_at=None).order_by("-stored_at")
    point = (points.filter(snapshot=snapshot) if snapshot else points).first()
    return Stand(point.snapshot, point.at, point.stored_at, point.messages) if point else None


def outcome(job: UUID | None) -> Outcome | None:
    """None where there is no such job."""
    row = Job.objects.filter(pk=job).first() if job else None
    return Outcome(row.state, row.why, row.result) if row else None


def drop_jobs(home: UUID, why: str) -> int:
    """What was asked and not done is not done any more: the host to which it was said leaves."""
    open_jobs = Job.objects.open().filter(repository_id=home)
    return open_jobs.update(state=Job.State.FAILED, why=why, done_at=timezone.now())
