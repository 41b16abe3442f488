"""Lets time pass by ageing what is written down; see docs/adr/0003-the-clock-of-the-sandbox-ages-the-rows.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import flask
import psycopg
from psycopg import sql

# Promises, runs and alarms. What was seen and when (audit, measurements, reports) keeps its time.
AGED = (
    "billing_subscription", "servers_server", "servers_destruction", "engine_run", "engine_steptaken", "engine_alarm",
    "domains_mailbox", "domains_erasure",
)  # fmt: skip
# A step that has read the time, or what Gumroad said, before it passed would mix it with what is older by now:
# time passes only while no worker is at a step, and none begins one until all have grown older.
RUNS = "engine_run"
STILL = f"lock table {RUNS} in exclusive mode"
AT_WORK = f"select count(*) from {RUNS} where held and due_at > clock_timestamp()"
# Moments of a table of its own: no view, no part of a partitioned table (its parent brings it along), nothing computed.
COLUMNS = """
select columns.column_name
  from information_schema.columns join information_schema.tables using (table_schema, table_name)
 where table_schema = 'public' and table_name = %s and table_type = 'BASE TABLE'
   and columns.data_type = 'timestamp with time zone' and columns.is_generated = 'NEVER'
   and not exists (select 1 from pg_inherits where inhrelid = to_regclass(quote_ident(table_schema) || '.' || quote_ident(table_name)))
 order by columns.ordinal_position"""
CHOICES = [(1, "An hour"), (24, "A day"), (72, "Three days"), (168, "Seven days"), (720, "Thirty days")]
MOST_HOURS = 9000.0
PATIENCE_SECONDS = 25.0
PAUSE_SECONDS = 0.02
CONNECT_SECONDS = 5
Age = Callable[[float], list[str]]


class NotPassed(Exception):
    """No time has passed; the sentence says why."""


class _AtWork(Exception):
    """A worker is at a step."""


def age_rows(
    database_url: str,
    hours: float,
    tables: tuple[str, ...] = AGED,
    others: Callable[[], list[str]] = list,
) -> list[str]:
    """Subtracts the hours from every moment of these tables, in one transaction; says what it did. Raises NotPassed.

    `others` lets time pass elsewhere too, at the same moment.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            return _age_once(database_url, hours, tables, others)
        except (_AtWork, psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            time.sleep(PAUSE_SECONDS)  # a worker was at the same rows; nothing was changed
        except psycopg.OperationalError:
            raise NotPassed("The database cannot be reached, so no time has passed.") from None
        except psycopg.Error as error:  # its text may repeat the address, and with it the password
            raise NotPassed(
                f"The database refused ({type(error).__name__}), so no time has passed."
            ) from None
    raise NotPassed("The workers would not let go of their rows, so no time has passed. Try again.")


def _age_once(
    database_url: str, hours: float, tables: tuple[str, ...], others: Callable[[], list[str]]
) -> list[str]:
    with psycopg.connect(database_url, connect_timeout=CONNECT_SECONDS) as db:
        db.execute("set local lock_timeout = '5s'")
        if RUNS in tables:
            _stand_still(db)
        return [_age_table(db, table, hours) for table in tables] + others()


def _stand_still(db: psycopg.Connection) -> None:
    """Raises _AtWork while a worker has read what is about to change."""
    db.execute(STILL)
    if db.execute(AT_WORK).fetchone() != (0,):
        raise _AtWork


def _age_table(db: psycopg.Connection, table: str, hours: float) -> str:
    columns = [row[0] for row in db.execute(COLUMNS, [table]).fetchall()]
    if not columns:
        return f"{table} was left out: there is no such table with moments of its own"
    step = sql.SQL("{0} = {0} - %(by)s * interval '1 hour'")
    changes = sql.SQL(", ").join(step.format(sql.Identifier(name)) for name in columns)
    done = db.execute(sql.SQL("update {} set {}").format(sql.Identifier(table), changes), {"by": hours})
    rows = "1 row" if done.rowcount == 1 else f"{done.rowcount} rows"
    return f"{rows} of {table} grew older"


class Clock:
    """The page at /clock and its JSON at /clock/pass."""

    def __init__(self, database_url: str, age_gumroad: Age, tables: tuple[str, ...] = AGED) -> None:
        self._database, self._age_gumroad, self._tables = database_url, age_gumroad, tables

    def page(self) -> str:
        return self._show()

    def _show(self, **what: object) -> str:
        return flask.render_template("clock.html", choices=CHOICES, tables=self._tables, **what)

    def press(self) -> flask.typing.ResponseReturnValue:
        given = flask.request.form.get("hours", "")
        try:
            happened = self._let_pass(given)
        except ValueError as error:
            return self._show(error=str(error)), 400
        except NotPassed as error:
            return self._show(error=str(error)), 503
        return self._show(passed=f"{float(given):g}", happened=happened)

    def tell(self) -> flask.typing.ResponseReturnValue:
        wish = flask.request.get_json(silent=True)
        try:
            happened = self._let_pass(wish.get("hours") if isinstance(wish, dict) else None)
        except ValueError as error:
            return flask.jsonify({"error": str(error)}), 400
        except NotPassed as error:
            return flask.jsonify({"error": str(error)}), 503
        return flask.jsonify({"happened": happened})

    def _let_pass(self, given: object) -> list[str]:
        hours = _hours(given)
        gumroad = partial(self._age_gumroad, hours * 3600)
        if not self._database:
            return ["No database was given, so only Gumroad grew older", *gumroad()]
        return age_rows(self._database, hours, self._tables, gumroad)


def _hours(given: object) -> float:
    """Raises ValueError with a sentence."""
    try:
        hours = float(str(given))
    except ValueError:
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise ValueError(f"The hours must be a number, more than 0 and at most {MOST_HOURS:.0f}.")
    return hours


def blueprint(database_url: str, age_gumroad: Age, tables: tuple[str, ...] = AGED) -> flask.Blueprint:
    """Without a database only Gumroad grows older; `age_gumroad` takes seconds."""
    doors, view = flask.Blueprint("clock", __name__), Clock(database_url, age_gumroad, tables)
    doors.add_url_rule("/clock", view_func=view.page)
    doors.add_url_rule("/clock", view_func=view.press, methods=["POST"])
    doors.add_url_rule("/clock/pass", view_func=view.tell, methods=["POST"])
    return doors
