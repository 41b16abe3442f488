"""Taking due runs and settling them: every statement here is one conditional UPDATE, so a killed worker needs no clean-up."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from engine import prepared
from engine.models import Run
from engine.program import Done, Hop, Nap, Next

COLUMNS = "id, program, subject, step, args, lease, wakes, tries, error, began_at, step_since, deadline_step, deadline_at"
# Taking a run also books its retry: if the worker dies, due_at comes round and another takes it.
TAKE = f"""
UPDATE engine_run SET held = true, lease = lease + 1, tries = tries + 1,
       due_at = statement_timestamp() + %s * least(tries + 1, 10) * interval '1 second'
 WHERE id IN (SELECT id FROM engine_run WHERE finished_at IS NULL AND due_at <= statement_timestamp() {{which}}
              ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING {COLUMNS}"""
TAKE_DUE = TAKE.format(which="")
TAKE_ONE = TAKE.format(which="AND id = %s")

LEFT = """, left_step AS (
  INSERT INTO engine_steptaken (run_id, program, step, began_at, ended_at, tries, outcome)
  SELECT id, %s, %s, %s::timestamptz, clock_timestamp(), %s::int, %s FROM settled)"""

HOP = f"""
WITH settled AS (
  UPDATE engine_run SET step = %s, step_since = clock_timestamp(), tries = 1, error = '', args = %s,
         deadline_step = %s, deadline_at = %s, lease = lease + 1,
         due_at = clock_timestamp() + %s * interval '1 second'
   WHERE id = %s AND lease = %s RETURNING id, lease, wakes, step_since){LEFT}
SELECT lease, wakes, step_since FROM settled"""

NAP = """
UPDATE engine_run SET held = false, tries = 0, error = '', args = %s, deadline_step = %s, deadline_at = %s,
       due_at = CASE WHEN wakes <> %s THEN clock_timestamp() ELSE clock_timestamp() + %s * interval '1 second' END
 WHERE id = %s AND lease = %s"""

DONE = f"""
WITH settled AS (
  UPDATE engine_run SET held = false, tries = 0, error = '', args = %s, deadline_step = '', deadline_at = NULL,
         due_at = NULL, finished_at = clock_timestamp(), outcome = %s
   WHERE id = %s AND lease = %s AND wakes = %s RETURNING id){LEFT}
SELECT id FROM settled"""

FAIL = """
UPDATE engine_run SET held = false, error = %s,
       due_at = CASE WHEN wakes <> %s THEN clock_timestamp() ELSE clock_timestamp() + %s * interval '1 second' END
 WHERE id = %s AND lease = %s"""


class LeaseLost(Exception):
    """Another worker has taken the run in the meantime, so nothing of this step may be kept."""


@dataclass
class Taken:
    """A run in a worker's hands."""

    run: Run
    lease: int
    wakes: int


def take(*, run_id: int | None = None, most: int = 1) -> list[Taken]:
    """Takes the run if it is due, or up to `most` of those due longest."""
    hold = settings.ENGINE_LEASE_SECONDS
    rows = (
        prepared.run(TAKE_DUE, [hold, most]) if run_id is None else prepared.run(TAKE_ONE, [hold, run_id, 1])
    )
    return [_taken(row) for row in rows]


def _taken(row: tuple[Any, ...]) -> Taken:
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    values["args"] = json.loads(values["args"]) if isinstance(values["args"], str) else values["args"]
    run = Run(**values, held=True)
    run._state.adding, run._state.db = False, "default"
    return Taken(run, run.lease, run.wakes)


def settle(taken: Taken, outcome: Next) -> bool:
    """Writes down what the step said; true if the same worker goes on. Raises LeaseLost."""
    match outcome:
        case Hop(step):
            return _hop(taken, step)
        case Nap(seconds):
            _nap(taken, seconds)
        case Done(words):
            _done(taken, words)
    return False


def _hop(taken: Taken, step: str) -> bool:
    run = taken.run
    if step == run.deadline_step:
        run.deadline_step, run.deadline_at = "", None
    rows = prepared.run(
        HOP,
        [
            step,
            json.dumps(run.args),
            run.deadline_step,
            run.deadline_at,
            settings.ENGINE_LEASE_SECONDS,
            run.pk,
            taken.lease,
            run.program,
            run.step,
            run.step_since,
            run.tries,
            "",
        ],
    )
    if not rows:
        raise LeaseLost(str(run.pk))
    taken.lease, taken.wakes, run.step_since = rows[0]
    run.lease, run.step, run.tries, run.error = taken.lease, step, 1, ""
    return True


def _nap(taken: Taken, seconds: float) -> None:
    run = taken.run
    settled = prepared.changed(
        NAP,
        [json.dumps(run.args), run.deadline_step, run.deadline_at, taken.wakes, seconds, run.pk, taken.lease],
    )
    if not settled:
        raise LeaseLost(str(run.pk))


def _done(taken: Taken, words: str) -> None:
    """A run that was woken during its last step takes that step again, because something has changed."""
    run = taken.run
    rows = prepared.run(
        DONE,
        [
            json.dumps(run.args),
            words,
            run.pk,
            taken.lease,
            taken.wakes,
            run.program,
            run.step,
            run.step_since,
            run.tries,
            words,
        ],
    )
    if not rows:
        _nap(taken, 0)


def fail(taken: Taken, error: str, seconds: float) -> None:
    """The step raised: it is tried again after `seconds`, or at once if it was woken meanwhile."""
    prepared.changed(FAIL, [error, taken.wakes, seconds, taken.run.pk, taken.lease])
