"""The first page of the staff's site: what needs a person, the most urgent first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from audit import staff_words as words
from audit.models import Fault
from billing.models import Ping
from engine.admin import FAILING, late
from engine.models import Alarm, Run
from servers.models import Server

SHOWN = 10  # rows of each kind; the list behind the link has them all


@dataclass(frozen=True)
class Need:
    """One kind of trouble: its newest rows, and the link to all of them."""

    title: str
    calm: str
    rows: Sequence[Iterable[object]]
    more: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by Unfold for the first page; a person sees what they may also see in the lists."""
    kinds = (("engine.view_alarm", alarms), ("engine.view_run", failing), ("engine.view_run", overdue),
             ("billing.view_ping", puzzling), ("servers.view_server", silent), ("audit.view_fault", broken))  # fmt: skip
    may = request.user.has_perm
    return {
        **context,
        "title": "What needs a person",
        "needs": [need() for right, need in kinds if may(right)],
    }


def alarms() -> Need:
    rows = _newest(Alarm.objects.filter(closed_at=None))
    return Need(
        "Open alarms",
        "No alarm is open.",
        [
            (words.link(row, row.says), words.subject_link(row.subject, brief=True), _since(row.opened_at))
            for row in rows
        ],
        words.list_link("engine.alarm", "all open alarms", state="open"),
    )


def failing() -> Need:
    return _runs("Runs that fail", "No run fails.", FAILING, "failing", _failed)


def _failed(run: Run) -> str:
    return f"“{run.step}”: {run.error[:120]}"


def overdue() -> Need:
    return _runs("Runs past their deadline", "Every run is in time.", late(), "late", _awaited)


def _awaited(run: Run) -> str:
    return f"should have reached “{run.deadline_step}” by {words.when(run.deadline_at)}"


def _runs(title: str, calm: str, which: Q, state: str, says: Callable[[Run], str]) -> Need:
    rows = _newest(Run.objects.filter(which))
    cells = [
        (
            words.link(run, run.program),
            words.subject_link(run.subject, brief=True),
            says(run),
            _since(run.step_since),
        )
        for run in rows
    ]
    return Need(title, calm, cells, words.list_link("engine.run", f"all that are {state}", state=state))


def puzzling() -> Need:
    rows = _newest(Ping.objects.filter(became=Ping.Became.PUZZLING).defer("body"))
    return Need(
        "Pings that need a person",
        "Every ping was understood.",
        [(words.link(row), row.about, row.note, _since(row.received_at)) for row in rows],
        words.list_link("billing.ping", "all of them", state=Ping.Became.PUZZLING.value),
    )


def silent() -> Need:
    quiet = Server.objects.filter(gone_at=None, agent__health__in=("late", "lost")).select_related("agent")
    rows = quiet.order_by("agent__reported_at")[:SHOWN]
    return Need(
        "Servers not heard of",
        "Every server reports.",
        [(words.link(row), row.agent.health, row.place, _since(row.agent.reported_at)) for row in rows],
        words.list_link("servers.server", "all of them", state="silent"),
    )


LATELY = timedelta(days=1)


def broken() -> Need:
    rows = _newest(Fault.objects.filter(at__gt=timezone.now() - LATELY))
    return Need(
        "Pages that broke in the last day",
        "No page broke in the last day.",
        [(words.link(row, row.error), row.route, row.place, _since(row.at)) for row in rows],
        words.list_link("audit.fault", "all of them"),
    )


def _newest(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by("-pk")[:SHOWN])


def _since(at: datetime | None) -> str:
    return words.sentences(["since", words.moment(at)])
