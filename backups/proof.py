"""What is proven of a server's backups: how old the newest is, and when one was restored last, in what time, and how well."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from backups import drills
from backups.models import Job, Point, Repository, Stored

ADDRESS = re.compile(r"[\w.+'=-]{1,64}@[a-z0-9.-]{1,253}")
NO_ROOM = "the disk has not enough room for it"  # an agent's words
MOST = 2**62  # of a number that a host tells


@dataclass(frozen=True)
class Drill:
    """A drill that was answered; `took` is the time to restore (RTO), None where nothing was restored.

    Of one that failed `why` is what was found, in its host's words, and `mailbox` the address that it is about, where it names one.
    """

    at: datetime
    ok: bool
    took: timedelta | None
    mailboxes: int
    messages: int
    bytes: int
    why: str = ""
    mailbox: str = ""
    point_at: datetime | None = None

    @property
    def lacked_room(self) -> bool:
        """It could not be made, which says nothing of the backup."""
        return self.why == NO_ROOM


@dataclass(frozen=True)
class Proof:
    """`point_at` is what the newest point is of, `point_seen` when we saw it; `rpo` what would be lost now, `promised` how much may be.

    `drill` is the latest one, `good` the latest that found all as it was; `under_way` one that is asked for, `next_drill` when
    the next is due if nobody asks before.
    """

    point: str
    point_at: datetime | None
    point_seen: datetime | None
    rpo: timedelta | None
    promised: timedelta
    drill: Drill | None
    good: Drill | None
    under_way: Job | None
    next_drill: datetime | None


def of(home: UUID) -> Proof | None:
    """None where a server has no backups, or has them no more."""
    repository = Repository.objects.living().filter(pk=home).first()
    if repository is None:
        return None
    name, seen, at = _newest(home)
    drill, good = drills.latest(home), drills.latest_good(home)
    return Proof(
        point=name,
        point_at=at,
        point_seen=seen,
        rpo=max(timezone.now() - at, timedelta()) if at else None,
        promised=repository.every,
        drill=told(drill) if drill else None,
        good=told(good) if good else None,
        under_way=repository.jobs.open().filter(do=Job.Do.DRILL).order_by("asked_at").first(),
        next_drill=drills.due(home),
    )


def _newest(home: UUID) -> tuple[str, datetime | None, datetime | None]:
    """The snapshot that was stored last, when we saw it, and the moment that it is of as far as its host told."""
    stored = Stored.objects.filter(home=home, kind=Stored.Kind.SNAPSHOTS, state=Stored.State.STORED)
    row = stored.order_by("-stored_at", "-pk").values_list("name", "stored_at").first()
    if row is None:
        return "", None, None
    name, seen = row
    at = Point.objects.filter(repository_id=home, snapshot=name).values_list("at", flat=True).first()
    return name, seen, at or seen


def told(job: Job) -> Drill:
    """What a host answered, believed as far as it has the right form: its root may answer anything."""
    result = job.result if isinstance(job.result, dict) else {}
    seconds, mailboxes = _number(result, "seconds"), int(_number(result, "mailboxes"))
    ok = job.state == Job.State.DONE
    return Drill(
        at=job.done_at or job.asked_at,
        ok=ok,
        took=timedelta(seconds=min(seconds, 10**8)) if seconds else None,
        mailboxes=mailboxes,
        messages=int(_number(result, "messages")),
        bytes=int(_number(result, "bytes")),
        why="" if ok else job.why,
        mailbox="" if ok else _mailbox(job.why, result),
        point_at=_moment(_number(result, "at")),
    )


def _number(result: Mapping[str, Any], name: str) -> float:
    value = result.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return 0
    return value


def _moment(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if 0 < at < 10**10 else None


def _mailbox(why: str, result: Mapping[str, Any]) -> str:
    """The first address that differs, else the one with which the host's words begin."""
    differ = result.get("differ")
    first = differ[0] if isinstance(differ, list) and differ and isinstance(differ[0], dict) else {}
    for said in (first.get("address"), why):
        found = ADDRESS.match(said) if isinstance(said, str) else None
        if found:
            return found[0]
    return ""
