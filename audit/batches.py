"""Many events by one statement, and events that stay whatever becomes of the transaction in which they are written.

A statement's text is always the same, so that Postgres plans it once a connection.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.actions import ACTION, plain
from audit.context import reference

INSERT = """
INSERT INTO audit_event (account_id, by, action, subject, facts, reference)
SELECT one.account, %s, %s, one.subject, one.facts::jsonb, %s
  FROM unnest(%b::uuid[], %b::text[], %b::text[]) WITH ORDINALITY AS one (account, subject, facts, place) ORDER BY place"""


@dataclass(frozen=True)
class Entry:
    """What differs between events of one kind; without an account it is the house's own."""

    account: UUID | None
    subject: str = ""
    facts: dict[str, object] = field(default_factory=dict)


def record_many(action: str, /, *, by: str, entries: Sequence[Entry]) -> None:
    """Writes an event for each entry in the caller's transaction, in their order."""
    _write(connection, action, by, entries)


def record_apart(action: str, /, *, by: str, entries: Sequence[Entry]) -> None:
    """The same, committed when this returns: what was seen cannot be made unseen by undoing a transaction."""
    with apart() as own:
        _write(own, action, by, entries)


@contextmanager
def apart() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own from the same pool, for as long as one statement takes."""
    own = connection.copy()
    try:
        yield own
    finally:
        own.close()


def _write(where: BaseDatabaseWrapper, action: str, by: str, entries: Sequence[Entry]) -> None:
    if not ACTION.fullmatch(action):
        raise ValueError(f"an action is noun.verb, not {action!r}")
    accounts = [entry.account for entry in entries]
    subjects = [plain(entry.subject) for entry in entries]
    facts = [json.dumps(plain(entry.facts)) for entry in entries]
    execute(where, INSERT, [plain(by), action, reference(), accounts, subjects, facts])


def execute(where: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> None:
    where.ensure_connection()
    with psycopg.Cursor(where.connection) as cursor:
        cursor.execute(statement, values, prepare=True)
