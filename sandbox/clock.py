"""Lets time pass by ageing what is written down; see docs/adr/0003-the-clock-of-the-sandbox-ages-the-rows.md."""

from __future__ import annotations

from collections.abc import Callable

import flask
import psycopg
from psycopg import sql

# Promises, runs and alarms. What was seen and when (audit, measurements, reports) keeps its time.
AGED = (
    "billing_subscription", "servers_server", "servers_destruction", "engine_run", "engine_steptaken", "engine_alarm",
)  # fmt: skip
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
TRIES = 5
CONNECT_SECONDS = 5
Age = Callable[[float], list[str]]


class NotPassed(Exception):
    """No time has passed; the sentence says why."""


def age_rows(database_url: str, hours: float, tables: tuple[str, ...] = AGED) -> list[str]:
    """Subtracts the hours from every moment of these tables, in one transaction; says what it did. Raises NotPassed."""
    for _ in range(TRIES):
        try:
            return _age_once(database_url, hours, tables)
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            continue  # a worker was at the same rows; nothing was changed
        except psycopg.OperationalError:
            raise NotPassed("The database cannot be reached, so no time has passed.") from None
        except psycopg.Error as error:  # its text may repeat the address, and with it the password
            raise NotPassed(
                f"The database refused ({type(error).__name__}), so no time has passed."
            ) from None
    raise NotPassed("The workers would not let go of their rows, so no time has passed. Try again.")


def _age_once(database_url: str, hours: float, tables: tuple[str, ...]) -> list[str]:
    with psycopg.connect(database_url, connect_timeout=CONNECT_SECONDS) as db:
        db.execute("set local lock_timeout = '5s'")
        return [_age_table(db, table, hours) for table in tables]


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
        note = ["No database was given, so only Gumroad grew older"]
        aged = age_rows(self._database, hours, self._tables) if self._database else note
        return aged + self._age_gumroad(hours * 3600)


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
