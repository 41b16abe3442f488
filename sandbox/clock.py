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
COLUMNS = """
select column_name from information_schema.columns
 where table_schema = 'public' and table_name = %s and data_type = 'timestamp with time zone' and is_generated = 'NEVER'
 order by ordinal_position"""
CHOICES = [(1, "An hour"), (24, "A day"), (72, "Three days"), (168, "Seven days"), (720, "Thirty days")]
MOST_HOURS = 9000.0
Age = Callable[[float], list[str]]


def age_rows(database_url: str, hours: float, tables: tuple[str, ...] = AGED) -> list[str]:
    """Subtracts the hours from every moment of these tables, in one transaction; says what it did."""
    with psycopg.connect(database_url) as db:
        return [_age_table(db, table, hours) for table in tables]


def _age_table(db: psycopg.Connection, table: str, hours: float) -> str:
    columns = [row[0] for row in db.execute(COLUMNS, [table]).fetchall()]
    if not columns:
        return f"{table} does not exist here"
    step = sql.SQL("{0} = {0} - %(by)s * interval '1 hour'")
    changes = sql.SQL(", ").join(step.format(sql.Identifier(name)) for name in columns)
    done = db.execute(sql.SQL("update {} set {}").format(sql.Identifier(table), changes), {"by": hours})
    return f"{done.rowcount} rows of {table} are older now"


def blueprint(database_url: str, age_gumroad: Age) -> flask.Blueprint:
    """The page at /clock and its JSON at /clock/pass."""
    doors = flask.Blueprint("clock", __name__)

    def let_pass(hours: float) -> list[str]:
        if not 0 < hours <= MOST_HOURS:
            raise ValueError(f"hours must be more than 0 and at most {MOST_HOURS:.0f}")
        happened = (
            age_rows(database_url, hours)
            if database_url
            else ["no database was given, so only Gumroad grew older"]
        )
        return happened + age_gumroad(hours * 3600)

    @doors.get("/clock")
    def page() -> str:
        return flask.render_template("clock.html", choices=CHOICES)

    @doors.post("/clock")
    def press() -> str:
        try:
            hours = float(flask.request.form.get("hours", ""))
            return flask.render_template(
                "clock.html", choices=CHOICES, passed=f"{hours:g}", happened=let_pass(hours)
            )
        except ValueError as error:
            return flask.render_template("clock.html", choices=CHOICES, error=f"That did not work: {error}.")

    @doors.post("/clock/pass")
    def tell() -> flask.typing.ResponseReturnValue:
        try:
            hours = float((flask.request.get_json(silent=True) or {}).get("hours", 0))
            return flask.jsonify({"happened": let_pass(hours)})
        except (TypeError, ValueError) as error:
            return flask.jsonify({"error": str(error)}), 400

    return doors
