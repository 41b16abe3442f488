"""Is everything working right now? One sentence about all servers, and what each card shows."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.backups.brief import briefs_of
from dashboard.mail.health import in_short
from dashboard.mail.told import Verdict
from dashboard.mail.worries import Line, worst_of
from servers import state as states
from servers.desired import host_name
from servers.models import Server, Suspension
from servers.plans import PLACES, PLANS, Place, Plan
from servers.state import State

# The worst first: what the page's first sentence speaks of.
ORDER = ("down", "attention", "ending", "being made", "working")


@dataclass(frozen=True)
class Card:
    """A server as its card and the head of its page show it."""

    server: Server
    state: State
    host: str
    place: Place
    plan: Plan
    sending: Line | None = None  # what its owners were told of their account at Amazon
    backups: Verdict | None = None
    suspended: Suspension | None = None  # nothing leaves it, because our staff said so

    @property
    def mail(self) -> Verdict | None:
        """How its mail is, in one sentence, while it is there to serve."""
        return in_short(self.server) if self.state.word in ("working", "attention") else None

    @property
    def due_at(self) -> datetime | None:
        """When it will be deleted, if it will."""
        destruction = getattr(self.server, "destruction", None)
        return destruction.due_at if destruction and not self.server.gone_at else None

    @property
    def begun(self) -> bool:
        """Whether the deletion cannot be called off any more."""
        destruction = getattr(self.server, "destruction", None)
        return bool(destruction and destruction.begun_at and not self.server.gone_at)

    @property
    def left(self) -> timedelta | None:
        """How long until it is deleted; in whole minutes, so that the page stays the same in between."""
        if self.due_at is None:
            return None
        left = max(self.due_at - timezone.now(), timedelta())
        return left - timedelta(seconds=left.seconds % 60, microseconds=left.microseconds)

    @property
    def busy(self) -> bool:
        """Whether something happens that one may want to watch."""
        return self.state.word == "being made" or self.begun


def card_of(server: Server) -> Card:
    sending, backups = worst_of([server.pk]), briefs_of([server])
    found = suspended_of([server]).get(server.pk)
    return _card(server, states.of(server), sending.get(server.pk), backups.get(server.pk), found)


def suspended_of(servers: list[Server]) -> dict[UUID, Suspension]:
    """Those whose sending is suspended now."""
    rows = Suspension.objects.filter(server__in=servers, ended_at=None)
    return {cast(UUID, row.server_id): row for row in rows}


def _card(
    server: Server,
    state: State,
    sending: Line | None,
    backups: Verdict | None,
    suspended: Suspension | None,
) -> Card:
    """A server whose mail does not leave is not well, however well it is itself."""
    if suspended and state.word == "working":
        state = replace(
            state, word="attention", since=suspended.since, why=_("Mail arrives, and none leaves.")
        )
    if sending and sending.keeps_mail and state.word == "working":
        state = replace(
            state, word="attention", since=sending.since, why=_("Mail arrives, but not all leaves.")
        )
    place, plan = PLACES[server.place], PLANS[server.plan]
    return Card(server, state, host_name(server), place, plan, sending, backups, suspended)


def cards_of(servers: list[Server]) -> list[Card]:
    """The servers' cards, the worst first; as many questions about alarms, sending and backups, however many servers."""
    alarmed, sending = states.alarmed(servers), worst_of([server.pk for server in servers])
    backups, suspended = briefs_of(servers), suspended_of(servers)
    cards = [
        _card(
            one,
            states.of(one, alarmed=alarmed),
            sending.get(one.pk),
            backups.get(one.pk),
            suspended.get(one.pk),
        )
        for one in servers
    ]
    return sorted(cards, key=lambda card: (ORDER.index(card.state.word), card.server.name))


def headline(cards: list[Card]) -> tuple[str, str]:
    """The answer to “is everything working?”: the word of the worst state, and a sentence."""
    if not cards:
        return "", _("You have no server yet")
    worst = min((card.state.word for card in cards), key=ORDER.index)
    named = [card for card in cards if card.state.word == worst]
    if len(named) == 1 and (worst != "working" or len(cards) == 1):
        return worst, _one(worst) % {"name": named[0].host}
    return worst, _many(worst, len(named)) % {"some": len(named), "all": len(cards)}


def _one(word: str) -> str:
    return {
        "down": _("%(name)s is down"),
        "attention": _("%(name)s needs attention"),
        "ending": _("%(name)s is ending"),
        "being made": _("%(name)s is being made"),
        "working": _("%(name)s is working"),
    }[word]


def _many(word: str, some: int) -> str:
    return {
        "down": ngettext("%(some)d of %(all)d is down", "%(some)d of %(all)d are down", some),
        "attention": ngettext(
            "%(some)d of %(all)d needs attention", "%(some)d of %(all)d need attention", some
        ),
        "ending": ngettext("%(some)d of %(all)d is ending", "%(some)d of %(all)d are ending", some),
        "being made": ngettext(
            "%(some)d of %(all)d is being made", "%(some)d of %(all)d are being made", some
        ),
        "working": _("All %(all)d servers are working"),
    }[word]
