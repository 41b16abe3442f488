"""Who has not been heard of: healthy, late, lost."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import record
from engine.alarms import close_alarm, open_alarm
from servers import troubles
from servers.models import Agent

LATE_AFTER = timedelta(seconds=150)  # two reports and a half
LOST_AFTER = timedelta(minutes=10)
SOME = 3  # servers that fall silent together
ALL_AFTER = timedelta(minutes=40)  # then it is told of each, whoever's fault it is
US = "fleet:silent"


def look() -> None:
    """Finds the agents that have been silent too long; each change of state is recorded once."""
    now = timezone.now()
    since = now - (ALL_AFTER if _it_is_us(now - LOST_AFTER) else LOST_AFTER)
    for agent in _silent(since, ["healthy", "late"]):
        _mark(agent, "lost", since)
    for agent in _silent(now - LATE_AFTER, ["healthy"]):
        _mark(agent, "late", now - LATE_AFTER)


def _it_is_us(since: datetime) -> bool:
    """Whether most of the fleet fell silent: then it was we who did not listen, and customers are not frightened.

    After an outage of ours the first look comes before the first reports. Staff are told in one alarm.
    """
    here = Agent.objects.filter(server__gone_at=None, reported_at__isnull=False).exclude(health="lost")
    silent, whole = here.filter(reported_at__lt=since).count(), here.count()
    if silent < SOME or 2 * silent <= whole:
        close_alarm(US)
        return False
    open_alarm(
        key=US,
        subject="fleet",
        says=f"{silent} of {whole} servers have not been heard of at once.",
        advice="Is our own site reachable from outside? If it is, look at Hetzner's status.",
    )
    return True


def _silent(since: datetime, states: list[str]) -> list[Agent]:
    silent = Agent.objects.filter(health__in=states, reported_at__lt=since, server__gone_at=None)
    silent = silent.filter(server__rebuilding_since=None)  # its program looks after it, and has a deadline
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
        troubles.tell(server, "server_trouble", "lost", _("It has been silent for ten minutes."), "")
        open_alarm(
            key=f"{server.subject}:lost",
            subject=server.subject,
            says=f"{server.name} has not reported since {agent.reported_at:%Y-%m-%d %H:%M} UTC.",
            advice="Is the machine running at Hetzner? Is its network reachable? Its console is in Hetzner's panel.",
        )


@transaction.atomic
def heard_again(server_id: UUID) -> None:
    """A silent agent has reported; of two reports at once, one finds it silent."""
    agent = Agent.objects.select_for_update().select_related("server").get(pk=server_id)
    was = agent.health
    if not Agent.objects.filter(pk=server_id).exclude(health="healthy").update(health="healthy"):
        return
    record(
        "server.heard_again",
        by="clock",
        account=cast(UUID, agent.server.account_id),
        subject=agent.server.subject,
    )
    close_alarm(f"{agent.server.subject}:lost")
    if was == "lost":
        troubles.tell(agent.server, "server_well", "lost", _("It has been silent for ten minutes."), "")
