"""The one clock of all processes: the database's. A machine of ours may be off, and must not do for that what cannot be undone."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """This moment as Postgres has it, in UTC; the clock that says what is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
