"""What other rooms ask of the engine: start a program, wake it, tell it that something happened."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Least
from django.utils import timezone

from engine.models import Run, Signal
from engine.program import Program

log = logging.getLogger("engine")


def start(
    program: type[Program], *, subject: str, args: dict[str, Any] | None = None, at: datetime | None = None
) -> Run:
    """Starts the program, or returns the one that is already under way for this subject."""
    name = program.__name__
    fresh = Run(
        program=name, subject=subject, step=program.first, args=args or {}, due_at=at or timezone.now()
    )
    Run.objects.bulk_create([fresh], ignore_conflicts=True)
    run = Run.objects.get(program=name, subject=subject, finished_at=None)
    knock_after_commit(run.pk)
    return run


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


def signal(name: str, *, subject: str) -> None:
    """Tells the live runs of the subject that something happened, and wakes them."""
    ids = list(Run.objects.filter(subject=subject, finished_at=None).values_list("pk", flat=True))
    Signal.objects.bulk_create([Signal(run_id=pk, name=name) for pk in ids], ignore_conflicts=True)
    wake_runs(ids)


def knock_after_commit(run_id: int) -> None:
    transaction.on_commit(lambda: knock(run_id))


def knock(run_id: int) -> None:
    """Tells a worker that the run is due; if the broker is away, the clock finds the run a little later."""
    from engine.tasks import work

    try:
        work.delay(run_id)
    except work.OperationalError as error:
        log.warning("no knock, the clock will do: %s", type(error).__name__)


def due(most: int) -> list[int]:
    """The ids of the runs that have been due longest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM engine_run WHERE finished_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT %s",
            [most],
        )
        return [row[0] for row in cursor.fetchall()]


def usual_seconds(program: str, step: str) -> float | None:
    """The median time of this step's last fifty ends, in seconds; None if it never ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - began_at)) FROM ("
            "SELECT began_at, ended_at FROM engine_steptaken WHERE program = %s AND step = %s ORDER BY id DESC LIMIT 50"
            ") AS last",
            [program, step],
        )
        return cursor.fetchone()[0]


FINISHED_KEPT = timedelta(days=90)


def forget_finished() -> int:
    """Removes runs and steps that ended more than FINISHED_KEPT ago; returns how many runs."""
    gone, _ = Run.objects.filter(finished_at__lt=timezone.now() - FINISHED_KEPT).delete()
    return gone
