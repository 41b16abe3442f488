"""The next step of somebody who sets up mail."""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.mail.health import in_short
from dashboard.mail.lists import DomainCard, Line, ready_of
from servers import state as states
from servers.desired import host_name
from servers.models import Server


@dataclass(frozen=True)
class Step:
    """What to do next; `word` is that of a Verdict, `url` and `verb` lead there."""

    word: str
    title: str
    says: str
    verb: str = ""
    url: str = ""


def next_step(servers: list[Server], cards: list[DomainCard], ways: set[UUID]) -> Step:
    """The most urgent thing; where nothing is missing, that."""
    lines = [line for card in cards for line in card.lines]
    if down := _down(cards):
        return down
    stopped = next((line for line in lines if line.stop), None)
    if stopped:
        return _stopped(stopped)
    if not ready_of(servers):
        return _no_server(servers)
    if not cards:
        return Step(
            "warn",
            _("Add your first domain"),
            _("Then its mailboxes, and what to enter at your registrar, will be here."),
            _("Add a domain"),
            reverse("domain-new"),
        )
    return _missing(cards, lines, ways)


def _down(cards: list[DomainCard]) -> Step | None:
    """A server whose mail does not flow; alarms are told on its own page."""
    for server in {card.server.pk: card.server for card in cards}.values():
        state = states.of(server, alarmed=())
        if state.word == "down":
            says = f"{state.why} {state.next}"
            url = reverse("server", args=[server.pk])
            return Step("bad", _("%s is down") % host_name(server), says, _("See the server"), url)
    return None


def _stopped(line: Line) -> Step:
    return Step(
        "bad",
        _("%s cannot send") % line.mailbox.address,
        _("The server stopped its sending, because somebody may have its password. It still receives."),
        _("See what to do"),
        reverse("mailbox", args=[line.mailbox.pk]),
    )


def _no_server(servers: list[Server]) -> Step:
    if servers:
        return Step(
            "unknown",
            _("Your server is not ready yet"),
            _("As soon as it is, you can add your domain here."),
            _("See how far it is"),
            reverse("overview"),
        )
    return Step(
        "unknown",
        _("You have no server yet"),
        _("Domains and mailboxes live on your server. The first step is to choose a plan."),
        _("Choose a plan"),
        reverse("plans"),
    )


def _missing(cards: list[DomainCard], lines: list[Line], ways: set[UUID]) -> Step:
    waits = next((card for card in cards if card.waiting), None)
    unsent = next((card for card in cards if card.server.pk not in ways), None)
    if not lines:
        first = cards[0]
        return Step(
            "warn",
            _("Make the first mailbox"),
            _("%s is there, and nobody has an address at it yet.") % first.name,
            _("Make a mailbox"),
            reverse("mailbox-new") + f"?domain={first.domain.pk}",
        )
    if waits:
        return Step(
            "warn",
            _("Set the records of %s") % waits.name,
            _("Its names do not point to your server yet. The list says what to enter at your registrar."),
            _("See the records"),
            reverse("domain", args=[waits.domain.pk]) + "#records",
        )
    if unsent:
        return Step(
            "warn",
            _("Set up sending"),
            _("Mail arrives at %s. To send to others it needs your account at Amazon SES.")
            % host_name(unsent.server),
            _("Set up sending"),
            reverse("mail-sending-of", args=[unsent.server.pk]),
        )
    return _proven(cards)


def _proven(cards: list[DomainCard]) -> Step:
    """Mail is said to work only where a mail really came back."""
    seen = [in_short(card.server) for card in cards]
    doubtful = next((one for one in seen if one is None or one.word != "good"), seen[0])
    if doubtful and doubtful.word == "good":
        return Step("good", _("Your mail works"), _("Nothing is missing that we can see."))
    return Step(
        "unknown", _("All is set up"), doubtful.says if doubtful else _("No test mail has come back yet.")
    )
