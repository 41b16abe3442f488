"""A whole server on another machine, as its pages show it: whether it is offered, how far it is, what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from backups import moving
from dashboard import figures
from servers import progress, rebuilding
from servers.desired import host_name
from servers.models import Agent, Replacement, Server
from servers.plans import PLACES, Place

State = Replacement.State
SHOWN_FOR = timedelta(days=14)  # what came of the last move


@dataclass(frozen=True)
class Moving:
    """The last move of a server, or none, and what its owner can do now."""

    server: Server
    row: Replacement | None
    steps: list[progress.Progress]

    @property
    def host(self) -> str:
        return host_name(self.server)

    @property
    def place(self) -> Place:
        return PLACES[self.server.place]

    @property
    def is_under_way(self) -> bool:
        return self.row is not None and self.row.finished_at is None

    @property
    def is_returning(self) -> bool:
        return self.row is not None and self.row.state == State.GOING_BACK

    @property
    def may_go_back(self) -> bool:
        """As long as the old machine is there and nobody has begun to delete it."""
        return self.row is not None and self.row.state == State.UNDER_WAY and bool(self.row.old_machine)

    @property
    def is_kept(self) -> bool:
        """Whether the new machine serves and the old one waits for its owner's word."""
        return self.may_go_back and self.row is not None and self.row.served_at is not None

    @property
    def outcome(self) -> Replacement | None:
        """The last move, while it is news."""
        row = self.row
        return row if row and row.finished_at and row.finished_at > timezone.now() - SHOWN_FOR else None

    @property
    def new_addresses(self) -> list[tuple[str, str]]:
        """Addresses that became others: the old and the new."""
        row, server = self.row, self.server
        if row is None or row.state == State.BACK or not server.ipv4:
            return []
        pairs = ((row.old_ipv4, server.ipv4), (row.old_ipv6, server.ipv6))
        return [(old, new) for old, new in pairs if old and new and old != new]

    @property
    def is_gone(self) -> bool:
        return rebuilding.is_gone(self.server)

    @property
    def obstacle(self) -> str:
        return rebuilding.obstacle(self.server)

    @property
    def newest_at(self) -> datetime | None:
        """When the newest restore point was made."""
        point = moving.newest_point(cast(UUID, self.server.pk))
        return point.at if point else None

    @property
    def restoring(self) -> str:
        """How much has come back, while it comes back."""
        agent = Agent.objects.filter(server=self.server).only("report").first()
        running = ((agent.report.get("backup") or {}).get("running") or {}) if agent else {}
        is_now = any(step.key == "restore" and step.state == "now" for step in self.steps)
        if not is_now or not running.get("total"):
            return ""
        said = {"done": figures.size(running.get("done") or 0), "all": figures.size(running["total"])}
        return _("%(done)s of %(all)s of the mailbox that is being fetched.") % said


def moving_of(server: Server) -> Moving:
    row = Replacement.objects.filter(server=server).order_by("-id").first()
    under_way = row is not None and row.finished_at is None
    return Moving(server, row, _steps(server, row) if row and under_way else [])


def steps_of(server: Server) -> list[progress.Progress]:
    """How far the move that is under way is."""
    return moving_of(server).steps


def _steps(server: Server, row: Replacement) -> list[progress.Progress]:
    program = "GoBack" if row.state == State.GOING_BACK else "Rebuild"
    steps = progress.of(server, program)
    kept = row.old_machine or program == "GoBack"
    return [step for step in steps if step.key not in _without(bool(kept), row.release_at is not None)]


def _without(has_old: bool, is_kept: bool) -> tuple[str, ...]:
    """Where there is no old machine nothing is done with it; where all was in the backup it need not wait."""
    if not has_old:
        return ("close", "aside", "keep", "old")
    return () if is_kept else ("keep",)


def is_offered(server: Server) -> bool:
    """Whether it is the next step of a server that is down: its machine is gone, or it has been silent for long."""
    agent = getattr(server, "agent", None)
    if server.rebuilding_since or server.gone_at or not server.ready_at or rebuilding.obstacle(server):
        return False
    return bool(agent and agent.health == "lost") or rebuilding.is_gone(server)


def section(server: Server) -> dict[str, Any]:
    """What templates/rebuild/section.html shows."""
    return {"rebuild": moving_of(server)}
