"""What a run is doing, in a sentence, and the runs and alarms of something, as small tables on its page."""

from django.utils import timezone
from django.utils.safestring import SafeString

from audit import staff_words as words
from audit.staff_tables import SHOWN, with_more
from engine.models import Alarm, Run


def now_says(run: Run) -> str:
    """What one wants to know first of a run."""
    if run.finished_at:
        return f"It ended at {words.when(run.finished_at)}: {run.outcome or 'done'}."
    return f"{_doing(run)} {_lateness(run)}".strip()


def _doing(run: Run) -> str:
    if run.held:
        return f"A worker is at “{run.step}”; if it does not settle, another takes it at {words.when(run.due_at)}."
    when = "at once" if run.due_at and run.due_at <= timezone.now() else f"at {words.when(run.due_at)}"
    if run.error:
        times = "once" if run.tries == 1 else f"{run.tries} times"
        return f"“{run.step}” was tried {times} and failed; it is tried again {when}."
    return f"It waits at “{run.step}”, and looks again {when} or when it is woken."


def _lateness(run: Run) -> str:
    if not run.deadline_at:
        return ""
    late = run.deadline_at <= timezone.now()
    return f"It {'should have reached' if late else 'should reach'} “{run.deadline_step}” by {words.when(run.deadline_at)}."


def mark(run: Run) -> SafeString:
    """One word for lists."""
    if run.finished_at:
        return words.mark("ended", "calm")
    if run.error:
        return words.mark("fails", "bad")
    if run.deadline_at and run.deadline_at <= timezone.now():
        return words.mark("late", "warn")
    return words.mark("at work" if run.held else "waits", "good")


def runs(subject: str) -> SafeString | str:
    """The newest runs about this, each with where it stands."""
    rows = list(Run.objects.filter(subject=subject).order_by("-id")[: SHOWN + 1])
    cells = [
        (
            words.link(run, run.program),
            mark(run),
            run.step,
            run.error[:80] or run.outcome,
            words.moment(run.due_at),
        )
        for run in rows[:SHOWN]
    ]
    heads = ("run", "state", "step", "error or outcome", "due")
    more = words.list_link("engine.run", "All runs", q=subject, state="all")
    return with_more(words.table(heads, cells), len(rows), more)


def alarms(subject: str) -> SafeString | str:
    """The newest alarms about this, open or not."""
    rows = list(Alarm.objects.filter(subject=subject).order_by("-id")[: SHOWN + 1])
    cells = [
        (words.link(row, row.says), alarm_mark(row), words.moment(row.opened_at), words.moment(row.closed_at))
        for row in rows[:SHOWN]
    ]
    more = words.list_link("engine.alarm", "All alarms", q=subject, state="all")
    return with_more(words.table(("alarm", "state", "opened", "closed"), cells), len(rows), more)


def alarm_mark(alarm: Alarm) -> SafeString:
    return words.mark("closed", "calm") if alarm.closed_at else words.mark("open", "bad")
