"""A log that can be tampered with: only the owner of the tables may, by switching their rules off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from audit.actions import record
from audit.chain import Verdict, verify
from audit.models import Event

TABLES = ("audit_event", "audit_head", "audit_receipt")


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def commit_rules() -> None:
    """What happens at COMMIT happens now."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def without_rules() -> Iterator[None]:
    for table in TABLES:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in TABLES:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verdict(account: UUID) -> Verdict:
    (only,) = verify(account)
    return only


@pytest.fixture
def chain(db: None) -> UUID:
    """An account with eight events, among another account's and the house's."""
    account, other = uuid4(), uuid4()
    for number in range(8):
        record("server.wanted", by="user:1", account=account, subject=f"server:{number}", number=number)
        record("server.wanted", by="user:2", account=other)
        record("ping.kept", by="gumroad")
    commit_rules()
    return account


@pytest.fixture
def event(chain: UUID) -> Callable[[int], Event]:
    """The event that has this number in the account's chain."""
    return lambda seq: Event.objects.get(account_id=chain, seq=seq)
