"""Programs under way, and what needs a person."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from audit import staff_words as words
from audit.actions import record
from audit.staff_lists import ACT_AT_ONCE, Choice, StaffList, as_number, as_uuid, staff
from engine import actions, alarms
from engine.models import Alarm, Run, StepTaken

FAILING = Q(finished_at=None) & ~Q(error="")


def late() -> Q:
    return Q(finished_at=None, deadline_at__lte=timezone.now())


class RunState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "live": ("live", lambda: Q(finished_at=None)),
        "failing": ("failing", lambda: FAILING),
        "late": ("past its deadline", late),
        "finished": ("finished", lambda: Q(finished_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Run)
class RunList(StaffList):
    list_display = ("program", "about", "step", "due", "tries", "error_begins", "outcome")
    fields = (
        "program", "about", "step", "step_since", "due", "tries", "error", "held", "lease", "wakes", "began_at",
        "deadline_step", "deadline_at", "finished_at", "outcome", "shown_args", "steps", "signals", "alarms", "events",
    )  # fmt: skip
    list_filter = (RunState,)
    search_fields = ("subject",)
    search_help_text = "A subject such as server:<id>, a server's id, or a run's number"
    actions = ("retry_now",)

    def found(self, term: str) -> Q | None:
        if as_number(term) is not None:
            return Q(pk=as_number(term))
        return Q(subject=f"server:{as_uuid(term)}") if as_uuid(term) else Q(subject=term)

    @admin.action(description="Retry now", permissions=["act"])
    def retry_now(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        chosen = list(runs.filter(finished_at=None)[:ACT_AT_ONCE])
        with transaction.atomic():
            woken = actions.wake_runs([run.pk for run in chosen])
            for run in chosen:
                record(
                    "run.retried",
                    by=staff(request),
                    subject=run.subject,
                    run=run.pk,
                    program=run.program,
                    step=run.step,
                )
        self.message_user(request, f"{woken} woken; finished ones are left alone.", messages.SUCCESS)

    @admin.display(description="subject")
    def about(self, run: Run) -> str:
        return words.subject_link(run.subject)

    @admin.display(description="due")
    def due(self, run: Run) -> str:
        return words.moment(run.due_at)

    @admin.display(description="error")
    def error_begins(self, run: Run) -> str:
        return run.error[:80] or words.NOTHING

    @admin.display(description="args")
    def shown_args(self, run: Run) -> str:
        return words.facts(run.args)

    @admin.display(description="steps taken, the newest first")
    def steps(self, run: Run) -> str:
        taken = run.taken.order_by("-pk")[: words.MOST]
        return words.table(("step", "began", "ended", "tries", "outcome"), map(_step, taken))

    @admin.display(description="signals")
    def signals(self, run: Run) -> str:
        given = run.signals.order_by("pk")[: words.MOST]
        return words.table(("signal", "given"), ((one.name, words.moment(one.at)) for one in given))

    def alarms(self, run: Run) -> str:
        return words.list_link("engine.alarm", "alarms of its subject", q=run.subject, state="all")

    def events(self, run: Run) -> str:
        return words.list_link("audit.event", "events of its subject", q=run.subject)


def _step(taken: StepTaken) -> Iterable[object]:
    return taken.step, words.moment(taken.began_at), words.moment(taken.ended_at), taken.tries, taken.outcome


class AlarmState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "open": ("open", lambda: Q(closed_at=None)),
        "closed": ("closed", lambda: Q(closed_at__isnull=False)),
        "all": ("all", Q),
    }


@admin.register(Alarm)
class AlarmList(StaffList):
    list_display = ("opened", "says", "about", "told", "closed")
    fields = ("says", "advice", "about", "key", "opened", "told", "closed", "runs", "events")
    list_filter = (AlarmState,)
    search_fields = ("subject",)
    search_help_text = "A subject such as server:<id>, or a server's id"
    actions = ("close",)

    def found(self, term: str) -> Q | None:
        return Q(subject=f"server:{as_uuid(term)}") if as_uuid(term) else Q(subject=term)

    @admin.action(description="Close", permissions=["act"])
    def close(self, request: HttpRequest, chosen: QuerySet[Alarm]) -> None:
        """If its cause is still there, it opens anew by itself."""
        with transaction.atomic():
            still_open = list(chosen.filter(closed_at=None).select_for_update()[:ACT_AT_ONCE])
            for alarm in still_open:
                alarms.close_alarm(alarm.key)
                record(
                    "alarm.closed", by=staff(request), subject=alarm.subject, alarm=alarm.pk, key=alarm.key
                )
        self.message_user(request, f"{len(still_open)} closed.", messages.SUCCESS)

    @admin.display(description="opened")
    def opened(self, alarm: Alarm) -> str:
        return words.moment(alarm.opened_at)

    @admin.display(description="staff told")
    def told(self, alarm: Alarm) -> str:
        return words.moment(alarm.told_at)

    @admin.display(description="closed")
    def closed(self, alarm: Alarm) -> str:
        return words.moment(alarm.closed_at)

    @admin.display(description="subject")
    def about(self, alarm: Alarm) -> str:
        return words.subject_link(alarm.subject)

    def runs(self, alarm: Alarm) -> str:
        return words.list_link("engine.run", "runs of its subject", q=alarm.subject, state="all")

    def events(self, alarm: Alarm) -> str:
        return words.list_link("audit.event", "events of its subject", q=alarm.subject)
