"""Is it working right now? One word, since when, why, and what comes next."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from engine.models import Alarm
from servers import replacements, troubles
from servers.models import Server


@dataclass(frozen=True)
class State:
    """`word` is one of: being made, working, attention, down, ending, gone."""

    word: str
    since: datetime | None
    why: str
    next: str


def of(server: Server, *, alarmed: Container[str] | None = None) -> State:
    """The state of a server; read it with its agent and destruction, `select_related("agent", "destruction")`.

    `alarmed` are the subjects of open alarms, for who asks about many servers; otherwise they are looked up.
    """
    destruction = getattr(server, "destruction", None)
    if server.gone_at:
        return State("gone", server.gone_at, _("It was deleted; the receipt says what was removed."), "")
    if destruction and destruction.begun_at:
        return State("ending", destruction.begun_at, _("It is being deleted."), _("A receipt comes by mail."))
    if destruction:
        return State(
            "ending",
            destruction.said_at,
            _("The subscription has ended."),
            _("It will be deleted unless you come back."),
        )
    if server.rebuilding_since:
        return State("being made", server.rebuilding_since, _moves(server), _("A mail comes."))
    return _being_made(server, alarmed) if server.ready_at is None else _running(server)


def _moves(server: Server) -> str:
    if replacements.living(server):
        return _("It moves to another machine.")
    return _("Its machine becomes a larger one.")


def alarmed(servers: list[Server]) -> set[str]:
    """The subjects of those servers about which an alarm is open."""
    subjects = [server.subject for server in servers]
    return set(Alarm.objects.filter(subject__in=subjects, closed_at=None).values_list("subject", flat=True))


def _being_made(server: Server, known: Container[str] | None) -> State:
    late = server.subject in (alarmed([server]) if known is None else known)
    why = _("It takes longer than it should; our staff have been told.") if late else _("It is being set up.")
    return State("being made", server.wanted_at, why, _("A mail comes when it is ready."))


def _running(server: Server) -> State:
    agent = getattr(server, "agent", None)
    if agent is None or agent.reported_at is None:
        return State("down", server.ready_at, _("It has not reported."), _("Our staff have been told."))
    if agent.health == "lost":
        return State(
            "down", agent.reported_at, _("It has not reported since then."), _("Our staff have been told.")
        )
    if agent.health == "late":
        return State(
            "attention", agent.reported_at, _("Its report is late."), _("We wait a few minutes more.")
        )
    codes = troubles.of(agent.report)
    if codes:
        return _troubled(agent.reported_at, codes)
    return State("working", server.ready_at, _works(agent.report), "")


def _troubled(since: datetime, codes: list[str]) -> State:
    """The worst first; what can be done is said of it."""
    codes = sorted(codes, key=lambda code: (not troubles.is_worst(code), code))
    word = "down" if troubles.is_worst(codes[0]) else "attention"
    why = " ".join(troubles.says(code) for code in codes[:3])
    return State(word, since, why, troubles.advice(codes[0]))


def _works(report: dict[str, Any]) -> str:
    """Mail is said to work only where one really went out and came back."""
    canary = (report.get("mail") or {}).get("canary") or {}
    if canary.get("seconds") is None:
        return _("It reports as it should.")
    return _("It reports as it should, and our last test mail came back.")
