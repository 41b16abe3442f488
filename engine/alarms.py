"""Alarms: opened once for a cause, closed by themselves when the cause is gone."""

from django.utils import timezone

from engine.models import Alarm, Run


def open_alarm(*, key: str, subject: str, says: str, advice: str = "") -> None:
    """Opens the alarm unless one with this key is open."""
    Alarm.objects.bulk_create(
        [Alarm(key=key, subject=subject, says=says, advice=advice)], ignore_conflicts=True
    )


def close_alarm(key: str) -> None:
    Alarm.objects.filter(key=key, closed_at=None).update(closed_at=timezone.now())


def step_fails(run: Run, error: str) -> None:
    open_alarm(
        key=f"run:{run.pk}:fails",
        subject=run.subject,
        says=f"{run} cannot get past “{run.step}”: {error}",
        advice="Read the error, mend the cause, then choose “retry now” on the run.",
    )


def settled(run: Run, deadline_step: str, tries: int) -> None:
    """Closes what a settled step puts right; asks the database only if there was something to close."""
    if tries > 1:
        close_alarm(f"run:{run.pk}:fails")
    still_late = run.deadline_step == deadline_step and run.deadline_at and run.deadline_at <= timezone.now()
    if deadline_step and not still_late:
        close_alarm(f"run:{run.pk}:late")


def missed_deadlines() -> int:
    """Opens an alarm for each run that is past its deadline; returns how many are."""
    late = list(Run.objects.filter(deadline_at__lte=timezone.now(), finished_at=None)[:500])
    for run in late:
        open_alarm(
            key=f"run:{run.pk}:late",
            subject=run.subject,
            says=f"{run} has not reached “{run.deadline_step}” in time; it is at “{run.step}”.",
            advice="Look at the run: its error, and what the step waits for.",
        )
    return len(late)
