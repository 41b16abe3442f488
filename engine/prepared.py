"""Statements that are run thousands of times a minute: Postgres parses and plans each of them once a connection.

Django's cursors put values into the text, so that every statement is a new one to Postgres; measured here, the plan of a report
costs more than its execution. Errors are psycopg's own. Source: https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def run(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Runs it in the current transaction, or in one of its own; returns the rows, so it must be of a kind that has some."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, values, prepare=True).fetchall()


def changed(statement: str, values: Sequence[Any]) -> int:
    """Runs it; returns how many rows it changed."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, prepare=True)
        return cursor.rowcount
