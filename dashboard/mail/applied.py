"""Where a server is with what was wanted last: applying, applied, or refused."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext as _

from dashboard import when
from domains.models import Alias, Domain, Mailbox
from servers import desired
from servers.models import Agent, Server


@dataclass(frozen=True)
class Applied:
    """`word` is applied, applying or refused; `says` is the sentence for the page."""

    word: str
    says: str
    server: Server

    @property
    def busy(self) -> bool:
        return self.word == "applying"


def applied_of(server: Server) -> Applied | None:
    """None for a server that has no agent yet, or is gone."""
    agent: Agent | None = getattr(server, "agent", None)
    if agent is None or server.gone_at:
        return None
    if agent.applied_version < agent.desired_version or not desired.is_current(agent):
        return Applied("applying", _applying(server, agent), server)
    if why := refusal_of(agent):
        words = _(
            "The server refused it: “%s”. It goes on with the settings before. Our staff have been told."
        )
        return Applied("refused", words % why, server)
    return Applied("applied", _("Applied: the server does all that stands here."), server)


def _applying(server: Server, agent: Agent) -> str:
    since = changed_at(server.pk) or server.wanted_at
    words = _("Applying since %s.") % when.moment(since)
    if agent.health == "healthy":
        return words
    return _("%s The server is silent; it follows as soon as it is heard again.") % words


def changed_at(home: UUID) -> datetime | None:
    """When the mail of a server was last changed."""
    asked = (
        Domain.objects.filter(home=home).aggregate(at=Max("changed_at"))["at"],
        Mailbox.objects.filter(domain__home=home).aggregate(at=Max("changed_at"))["at"],
        Alias.objects.filter(domain__home=home).aggregate(at=Max("changed_at"))["at"],
    )
    return max((at for at in asked if at), default=None)


def refusal_of(agent: Agent) -> str:
    """Why the server could not do what was wanted of its mail, in its own words; empty where it could."""
    told = agent.report.get("undone") if isinstance(agent.report, dict) else None
    lines = [str(line) for line in told] if isinstance(told, list) else []
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0] == "mail"), "")
