"""Who has not been heard of: healthy, late, lost."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actions import record
from engine.alarms import close_alarm, open_alarm
from servers.models import Agent

LATE_AFTER = timedelta(seconds=150)  # two reports and a half
LOST_AFTER = timedelta(minutes=10)


def look() -> None:
    """Finds the agents that have been silent too long; each change of state is recorded once."""
    now = timezone.now()
    for agent in _silent(now - LOST_AFTER, ["healthy", "late"]):
        _mark(agent, "lost", now - LOST_AFTER)
    for agent in _silent(now - LATE_AFTER, ["healthy"]):
        _mark(agent, "late", now - LATE_AFTER)


def _silent(since: datetime, states: list[str]) -> list[Agent]:
    silent = Agent.objects.filter(health__in=states, reported_at__lt=since, server__gone_at=None)
    return list(silent.select_related("server")[:1000])


@transaction.atomic
def _mark(agent: Agent, health: str, since: datetime) -> None:
    """Conditional, because the agent may report at this very moment."""
    still = Agent.objects.filter(pk=agent.pk, health=agent.health, reported_at__lt=since)
    if not still.update(health=health):
        return
    server = agent.server
    record(f"server.{health}", by="clock", account=cast(UUID, server.account_id), subject=server.subject)
    if health == "lost":
        open_alarm(
            key=f"{server.subject}:lost",
            subject=server.subject,
            says=f"{server.name} has not reported since {agent.reported_at:%Y-%m-%d %H:%M} UTC.",
            advice="Is the machine running at Hetzner? Is its network reachable? Its console is in Hetzner's panel.",
        )


@transaction.atomic
def heard_again(server_id: UUID) -> None:
    """A silent agent has reported; of two reports at once, one finds it silent."""
    if not Agent.objects.filter(pk=server_id).exclude(health="healthy").update(health="healthy"):
        return
    agent = Agent.objects.select_related("server").get(pk=server_id)
    record(
        "server.heard_again",
        by="clock",
        account=cast(UUID, agent.server.account_id),
        subject=agent.server.subject,
    )
    close_alarm(f"{agent.server.subject}:lost")
