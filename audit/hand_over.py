"""Giving the log to a role that no process of ours bears.

The owner of a table can switch its triggers off. While the processes' role owns the log, its rules stop mistakes and
injected SQL, but not somebody who has the role and knows what to do. After this, that role can read the log, add events
to it and ask for the months to be turned, and nothing else.
"""

from django.db import connection, transaction
from psycopg import sql

TABLES = ("audit_event", "audit_head", "audit_receipt")
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass"
FUNCTIONS = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'audit\\_%'"
MAY = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


class CannotHandOver(Exception):
    """The text says what has to be so before."""


@transaction.atomic
def hand_over(*, owner: str, processes: str) -> None:
    """`owner` gets database, schema and log; `processes` keeps its own tables and may add to the log.

    Both roles exist already. Run as a superuser, again after each migration of the log. Raises CannotHandOver.
    """
    if not _column(MAY)[0]:
        raise CannotHandOver("this takes a superuser of Postgres: set DATABASE_URL to one for this command")
    _check_roles(owner, processes)
    _give(owner)
    _grant(owner, processes)


def _check_roles(owner: str, processes: str) -> None:
    known = _column("SELECT rolname FROM pg_roles")
    for role in (owner, processes):
        if role not in known:
            raise CannotHandOver(f"there is no role “{role}”; make it first")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR pg_has_role(%s, %s, 'MEMBER') FROM pg_roles WHERE rolname = %s",
                       [processes, owner, processes])  # fmt: skip
        if cursor.fetchone()[0]:
            raise CannotHandOver(
                f"“{processes}” could act as “{owner}”: it must be neither a superuser nor a member"
            )


def _give(owner: str) -> None:
    """Whoever owns the database or the schema could drop what lies in it, so these go too."""
    _run("ALTER DATABASE {} OWNER TO {}", connection.settings_dict["NAME"], owner)
    _run("ALTER SCHEMA public OWNER TO {}", owner)
    for table in (*TABLES, *_column(PARTS)):
        _run("ALTER TABLE {} OWNER TO {}", table, owner)
    for function in _column(FUNCTIONS):
        _execute(sql.SQL("ALTER FUNCTION {} OWNER TO {}").format(sql.SQL(function), sql.Identifier(owner)))


def _grant(owner: str, processes: str) -> None:
    _run("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}", connection.settings_dict["NAME"], processes)
    _run("GRANT USAGE, CREATE ON SCHEMA public TO {}", processes)
    for table in (*TABLES, *_column(PARTS)):
        _run("REVOKE ALL ON {} FROM {}", table, processes)
    for table in ("audit_event", "audit_receipt"):
        _run("GRANT SELECT, INSERT ON {} TO {}", table, processes)
    _run("GRANT SELECT ON audit_head TO {}", processes)
    _run("GRANT USAGE, SELECT ON SEQUENCE audit_event_id_seq TO {}", processes)
    for function in _column(FUNCTIONS):
        _execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function)))
    for function in ("audit_turn_months(interval)", "audit_field(text)", "audit_hash(bytea, audit_event)"):
        _execute(
            sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), sql.Identifier(processes))
        )


def _run(statement: str, *names: str) -> None:
    _execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _execute(statement: sql.Composed) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _column(query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
