"""Working what is due: steps one after the other, each in a transaction of its own, until nothing is due."""

import logging
import time

from django.db import transaction

from audit.context import about
from engine import alarms, lease
from engine.lease import LeaseLost, Taken
from engine.models import Run
from engine.program import Next, Program

log = logging.getLogger("engine")

BUDGET_SECONDS = 20.0  # a task ends after this, so that a worker can be stopped
AT_ONCE = 20  # runs taken by one statement
BACKOFF_SECONDS = (2, 5, 15, 60, 300, 900)
ALARM_AFTER = 4  # tries


def work(run_id: int) -> None:
    """Works the run if it is due, and then whatever else is due, for a while."""
    until = time.monotonic() + BUDGET_SECONDS
    batch = lease.take(run_id=run_id)
    while batch:
        for taken in batch:
            walk(taken, until)
        batch = lease.take(most=AT_ONCE) if time.monotonic() < until else []


def walk(taken: Taken, until: float) -> None:
    """Takes step after step of one run until it naps, ends, fails or the time is up."""
    while advance(taken) and time.monotonic() < until:
        pass


def advance(taken: Taken) -> bool:
    """Takes one step and settles it; true if the run goes on at once."""
    run = taken.run
    with about(run=str(run.pk), step=f"{run.program}.{run.step}"):
        try:
            before = run.deadline_step, run.tries
            with transaction.atomic():
                outcome = perform(run)
                goes_on = lease.settle(taken, outcome)
                alarms.settled(run, *before)
            return goes_on
        except LeaseLost:
            log.warning("taken by another worker in the meantime")
        except Exception as error:
            _failed(taken, error)
    return False


def perform(run: Run) -> Next:
    """Calls the step's method on a fresh program."""
    program = Program.known[run.program](run)
    return getattr(program, run.step)()


def _failed(taken: Taken, error: Exception) -> None:
    """An expected failure says when to come back; any other is logged, and alarms if it goes on."""
    run = taken.run
    expected = getattr(error, "retry_after", None)
    seconds = float(expected or BACKOFF_SECONDS[min(run.tries, len(BACKOFF_SECONDS)) - 1])
    words = f"{type(error).__name__}: {error}"[:500]
    log.log(logging.INFO if expected else logging.ERROR, "step failed: %s", words, exc_info=not expected)
    lease.fail(taken, words, seconds)
    Program.known[run.program].failed(error)
    if not expected and run.tries >= ALARM_AFTER:
        alarms.step_fails(run, words)
