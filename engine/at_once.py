"""A new row and the run about it by one statement: what outsiders write many times a second costs one way to Postgres.

A knock costs this process more than the statement does. In a crowd not everybody knocks: a worker who was knocked for one
takes all that is due, and what comes just after is found by the clock's next tick.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Field, Model

from engine import prepared
from engine.actions import knock
from engine.program import Program

KNOCK_EVERY = 0.05  # seconds
STATEMENT = """
WITH made AS (INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id)
INSERT INTO engine_run (program, subject, step, args, due_at, began_at, step_since, lease, held, wakes, tries,
                        error, deadline_step, outcome)
SELECT %s, %s::text || id, %s, '{{}}', statement_timestamp(), clock_timestamp(), clock_timestamp(), 0, false, 0, 0,
       '', '', '' FROM made
RETURNING id, (SELECT id FROM made)"""


class Crowd:
    """Lets one in so many seconds knock, in this process."""

    def __init__(self, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock, self._last = every, clock, float("-inf")

    def may_knock(self) -> bool:
        now = self._clock()
        if now - self._last < self._every:
            return False
        self._last = now
        return True


crowd = Crowd(KNOCK_EVERY)


def insert_with_run(row: Model, program: type[Program], *, subject: str) -> int:
    """Writes the row, whose number is its key, and starts the program about `subject` and that number; or neither.

    Returns the run's id. Raises Django's database errors.
    """
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in _fields(type(row))]
    with connection.wrap_database_errors:
        made = prepared.run(_statement(type(row)), [*values, program.__name__, subject, program.first])
    run_id, row.pk = made[0]
    row._state.adding, row._state.db = False, "default"
    if crowd.may_knock():
        transaction.on_commit(lambda: knock(run_id))
    return int(run_id)


@cache
def _fields(model: type[Model]) -> tuple["Field[Any, Any]", ...]:
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key)


@cache
def _statement(model: type[Model]) -> str:
    quote = connection.ops.quote_name
    columns = [quote(str(field.column)) for field in _fields(model)]
    return STATEMENT.format(
        table=quote(model._meta.db_table), columns=", ".join(columns), places=", ".join(["%s"] * len(columns))
    )
