"""Programs under way, and what needs a person."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone

from audit import staff_tables
from audit import staff_words as words
from audit.staff_acts import Act, CannotBe, Order
from audit.staff_lists import Choice, StaffList, as_number, as_uuid
from engine import actions, staff_words
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


def _retry(run: Run, order: Order) -> None:
    if not actions.retry(run=run, by=order.by, reason=order.reason):
        raise CannotBe("It has ended meanwhile.")


RETRY = Act(
    name="retry_now",
    verb="Retry now",
    does="The step at which the run waits is taken again at once, by the same program. Nothing is skipped; what the "
    "step finds done already is not done twice.",
    do=_retry,
    refuses=lambda run: "It has ended." if run.finished_at else "",
)


@admin.register(Run)
class RunList(StaffList):
    list_display = ("program", "state", "about", "step", "due", "tries", "says")
    fieldsets = (
        (None, {"fields": ("now", "program", "subject_page", "step", "error", "steps")}),
        ("About the same subject", {"fields": ("runs", "alarms", "events")}),
        ("Inside", {"fields": ("id", "began", "due", "tries", "inside", "signals", "shown_args")}),
    )
    list_filter = (RunState,)
    search_fields = ("subject",)
    search_help_text = "server:<id>, a server's id, a run's number"
    nothing = "No run is like that."
    acts = (RETRY,)

    def found(self, term: str) -> Q | None:
        if as_number(term) is not None:
            return Q(pk=as_number(term))
        return Q(subject=f"server:{as_uuid(term)}") if as_uuid(term) else Q(subject=term)

    @admin.display(description="state")
    def state(self, run: Run) -> str:
        return staff_words.mark(run)

    @admin.display(description="subject")
    def about(self, run: Run) -> str:
        return words.subject_link(run.subject, brief=True)

    @admin.display(description="due")
    def due(self, run: Run) -> str:
        return words.moment(run.due_at)

    @admin.display(description="error or outcome")
    def says(self, run: Run) -> str:
        return run.error[:80] or run.outcome or words.NOTHING

    @admin.display(description="now")
    def now(self, run: Run) -> str:
        return staff_words.now_says(run)

    @admin.display(description="subject")
    def subject_page(self, run: Run) -> str:
        return words.subject_link(run.subject)

    @admin.display(description="steps taken, the newest first")
    def steps(self, run: Run) -> str:
        taken = run.taken.order_by("-pk")[: words.MOST]
        return words.table(("step", "began", "took", "tries", "outcome"), map(_step, taken))

    @admin.display(description="runs")
    def runs(self, run: Run) -> str:
        return staff_words.runs(run.subject)

    def alarms(self, run: Run) -> str:
        return staff_words.alarms(run.subject)

    def events(self, run: Run) -> str:
        return staff_tables.of_subject(run.subject)

    @admin.display(description="began")
    def began(self, run: Run) -> str:
        return f"{words.when(run.began_at)}; at this step since {words.when(run.step_since)}"

    @admin.display(description="lease")
    def inside(self, run: Run) -> str:
        """For whoever reads the engine's log beside it."""
        held = "a worker holds it" if run.held else "no worker holds it"
        return f"taken by a worker: {run.lease}; woken: {run.wakes}; {held}"

    @admin.display(description="signals")
    def signals(self, run: Run) -> str:
        given = run.signals.order_by("pk")[: words.MOST]
        return words.table(("signal", "given"), ((one.name, words.moment(one.at)) for one in given))

    @admin.display(description="args")
    def shown_args(self, run: Run) -> str:
        return words.facts(run.args)


def _step(taken: StepTaken) -> Iterable[object]:
    took = f"{(taken.ended_at - taken.began_at).total_seconds():.1f} s"
    return taken.step, words.moment(taken.began_at), took, taken.tries, taken.outcome


class AlarmState(Choice):
    title = "state"
    parameter_name = "state"
    choices_by_word = {
        "open": ("open", lambda: Q(closed_at=None)),
        "closed": ("closed", lambda: Q(closed_at__isnull=False)),
        "all": ("all", Q),
    }


def _close(alarm: Alarm, order: Order) -> None:
    if not actions.close(alarm=alarm, by=order.by, reason=order.reason):
        raise CannotBe("It was closed meanwhile.")


CLOSE = Act(
    name="close",
    verb="Close the alarm",
    does="The alarm leaves the list of what needs a person. If its cause is still there, it opens anew by itself.",
    do=_close,
    refuses=lambda alarm: "It is closed." if alarm.closed_at else "",
)


@admin.register(Alarm)
class AlarmList(StaffList):
    list_display = ("says", "state", "about", "opened", "told", "closed")
    fieldsets = (
        (None, {"fields": ("says", "advice", "state", "subject_page", "opened", "told", "closed", "key")}),
        ("About the same subject", {"fields": ("runs", "alarms", "events")}),
    )
    list_filter = (AlarmState,)
    search_fields = ("subject",)
    search_help_text = "server:<id>, or a server's id"
    nothing = "No alarm is like that."
    acts = (CLOSE,)

    def found(self, term: str) -> Q | None:
        return Q(subject=f"server:{as_uuid(term)}") if as_uuid(term) else Q(subject=term)

    @admin.display(description="state")
    def state(self, alarm: Alarm) -> str:
        return staff_words.alarm_mark(alarm)

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
        return words.subject_link(alarm.subject, brief=True)

    @admin.display(description="subject")
    def subject_page(self, alarm: Alarm) -> str:
        return words.subject_link(alarm.subject)

    def runs(self, alarm: Alarm) -> str:
        return staff_words.runs(alarm.subject)

    def alarms(self, alarm: Alarm) -> str:
        return staff_words.alarms(alarm.subject)

    def events(self, alarm: Alarm) -> str:
        return staff_tables.of_subject(alarm.subject)
