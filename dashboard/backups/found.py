"""All that is known of a server's backups when a page of them is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone

from backups import bucket, proof
from backups.models import Job, Point, Repository
from backups.proof import Proof
from engine.models import Alarm
from servers.models import Agent, Server

HEARD_WITHIN = timedelta(minutes=5)  # what a report says is going on is believed for so long
KNOWN_ALARMS = ("none", "old", "shrinking", "growing", "removals", "missing", "damaged", "drill", "unproven")


@dataclass(frozen=True)
class Found:
    """`told` is what the last report says of backups; `alarms` are those that concern its owners, by kind."""

    server: Server
    repository: Repository | None
    newest: Point | None = None
    points: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    heard_at: datetime | None = None
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    open: list[Job] = field(default_factory=list)
    proof: Proof | None = None

    @property
    def home(self) -> UUID:
        return cast(UUID, self.server.pk)

    @property
    def is_silent(self) -> bool:
        """Whether the server has not reported lately, so that nothing that is asked of it is done."""
        return self.heard_at is None or timezone.now() - self.heard_at > HEARD_WITHIN

    def asked(self, do: str) -> Job | None:
        """What is asked for and not answered yet."""
        return next((job for job in self.open if job.do == do), None)


def found_of(server: Server) -> Found:
    agent: Agent | None = getattr(server, "agent", None)
    repository = Repository.objects.living().filter(pk=server.pk).first() if bucket.is_set_up() else None
    if repository is None:
        return Found(server, None)
    points = repository.points.filter(gone_at=None)
    return Found(
        server=server,
        repository=repository,
        newest=points.order_by("-stored_at", "-pk").first(),
        points=points.count(),
        told=_told(agent),
        heard_at=agent.reported_at if agent else None,
        alarms=alarms_of([server.pk]).get(server.pk, {}),
        open=list(repository.jobs.open().order_by("asked_at")),
        proof=proof.of(server.pk),
    )


def _told(agent: Agent | None) -> Mapping[str, Any]:
    said = agent.report.get("backup") if agent and isinstance(agent.report, dict) else None
    return said if isinstance(said, dict) else {}


def alarms_of(homes: list[UUID]) -> dict[UUID, dict[str, Alarm]]:
    """The open alarms of these servers' backups that concern their owners, in one question."""
    names = {f"backups:{home}:{kind}": (home, kind) for home in homes for kind in KNOWN_ALARMS}
    found: dict[UUID, dict[str, Alarm]] = {}
    for alarm in Alarm.objects.filter(key__in=names, closed_at=None):
        home, kind = names[alarm.key]
        found.setdefault(home, {})[kind] = alarm
    return found


def point_of(repository: Repository, pk: int) -> Point | None:
    """A restore point of this repository that is still there."""
    return (
        Point.objects.filter(repository=repository, pk=pk, gone_at=None).select_related("repository").first()
    )
