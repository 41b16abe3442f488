"""What other rooms ask of the engine: start a program, wake it, tell it that something happened."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Least
from django.utils import timezone

from audit.actions import record
from engine.models import Alarm, Run, Signal
from engine.program import Program

log = logging.getLogger("engine")


def start(
    program: type[Program], *, subject: str, args: dict[str, Any] | None = None, at: datetime | None = None
) -> int:
    """Starts the program, or wakes the one that is under way for this subject; returns the run's id.

    A live run may end between our two looks, so they are repeated; a run that ends after it was woken takes its step again.
    """
    name, due = program.__name__, at or timezone.now()
    while True:
        with connection.cursor() as cursor:
            cursor.execute(START, [name, subject, program.first, json.dumps(args or {}), due])
            cursor.execute(FOUND if cursor.rowcount == 0 else LAST, [name, subject])
            row = cursor.fetchone()
        if row:
            knock_after_commit(row[0])
            return int(row[0])


START = """
INSERT INTO engine_run (program, subject, step, args, due_at, began_at, step_since, lease, held, wakes, tries,
                        error, deadline_step, outcome)
VALUES (%s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp(), 0, false, 0, 0, '', '', '')
ON CONFLICT DO NOTHING"""
WAKE = "wakes = wakes + 1, due_at = CASE WHEN held THEN due_at ELSE least(due_at, clock_timestamp()) END"
FOUND = f"""
UPDATE engine_run SET {WAKE} WHERE program = %s AND subject = %s AND finished_at IS NULL RETURNING id"""
LAST = "SELECT id FROM engine_run WHERE program = %s AND subject = %s AND finished_at IS NULL"


def wake(*, subject: str, program: type[Program] | None = None) -> int:
    """Makes the live runs of the subject due now; one that a worker holds is due again when it settles."""
    runs = Run.objects.filter(subject=subject, finished_at=None)
    if program:
        runs = runs.filter(program=program.__name__)
    ids = list(runs.values_list("pk", flat=True))
    return wake_runs(ids)


def wake_runs(ids: list[int]) -> int:
    """Wakes these runs; returns how many were still live."""
    due = Case(When(held=True, then=F("due_at")), default=Least(F("due_at"), timezone.now()))
    woken = Run.objects.filter(pk__in=ids, finished_at=None).update(wakes=F("wakes") + 1, due_at=due)
    for pk in ids:
        knock_after_commit(pk)
    return woken


@transaction.atomic
def retry(*, run: Run, by: str, reason: str) -> bool:
    """A person has the run's step taken again now. False if it has ended."""
    if not wake_runs([run.pk]):
        return False
    record(
        "run.retried",
        by=by,
        subject=run.subject,
        run=run.pk,
        program=run.program,
        step=run.step,
        reason=reason,
    )
    return True


@transaction.atomic
def wake_up(*, subject: str, account: UUID, by: str, reason: str) -> int:
    """A person has every live run of the subject look again now; returns how many there are."""
    woken = wake(subject=subject)
    record("run.woken", by=by, account=account, subject=subject, runs=woken, reason=reason)
    return woken


@transaction.atomic
def close(*, alarm: Alarm, by: str, reason: str) -> bool:
    """A person has looked at the alarm. False if it was closed already."""
    if not Alarm.objects.filter(pk=alarm.pk, closed_at=None).update(closed_at=timezone.now()):
        return False
    record("alarm.closed", by=by, subject=alarm.subject, alarm=alarm.pk, key=alarm.key, reason=reason)
    return True


def signal(name: str, *, subject: str) -> None:
    """Tells the live runs of the subject that something happened, and wakes them."""
    ids = list(Run.objects.filter(subject=subject, finished_at=None).values_list("pk", flat=True))
    Signal.objects.bulk_create([Signal(run_id=pk, name=name) for pk in ids], ignore_conflicts=True)
    wake_runs(ids)


def stop(program: type[Program], *, subject: str) -> bool:
    """Ends the subject's live run of the program; a step under way can no longer settle. True if there was one."""
    now = timezone.now()
    live = Run.objects.filter(program=program.__name__, subject=subject, finished_at=None)
    return bool(
        live.update(
            finished_at=now,
            due_at=None,
            held=False,
            lease=F("lease") + 1,
            outcome="stopped",
            deadline_at=None,
            deadline_step="",
        )
    )


def knock_after_commit(run_id: int) -> None:
    transaction.on_commit(lambda: knock(run_id))


def knock(run_id: int) -> None:
    """Tells a worker that the run is due; if the broker is away, the clock finds the run a little later."""
    from engine.tasks import work

    try:
        work.delay(run_id)
    except Exception as error:  # whatever a broker can raise, the row is written and will be found
        log.warning("no knock, the clock will do: %s", type(error).__name__)


def due(most: int) -> list[int]:
    """The ids of the runs that have been due longest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM engine_run WHERE finished_at IS NULL AND due_at <= statement_timestamp() ORDER BY due_at LIMIT %s",
            [most],
        )
        return [row[0] for row in cursor.fetchall()]


USUAL = """
SELECT step, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - began_at))
  FROM (SELECT DISTINCT step FROM engine_steptaken WHERE program = %s) AS steps
 CROSS JOIN LATERAL (SELECT began_at, ended_at FROM engine_steptaken AS one
                      WHERE one.program = %s AND one.step = steps.step ORDER BY id DESC LIMIT 50) AS last
 GROUP BY step"""


def usual_seconds(program: str) -> dict[str, float]:
    """For each step of the program the median time of its last fifty ends, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(USUAL, [program, program])
        return {step: float(seconds) for step, seconds in cursor.fetchall()}


FINISHED_KEPT = timedelta(days=90)


def forget_finished() -> int:
    """Removes runs and steps that ended more than FINISHED_KEPT ago; returns how many runs."""
    gone, _ = Run.objects.filter(finished_at__lt=timezone.now() - FINISHED_KEPT).delete()
    return gone
