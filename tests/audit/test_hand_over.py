"""The processes' own role can add to the log and cannot loosen its rules, once another role owns it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoDbBlocker

from audit import hand_over, months
from audit.actions import record
from audit.models import Event
from tests.audit.conftest import commit_rules, sql, verdict

OWNER, PROCESSES = "mailat_test_owner", "mailat_test_processes"


@pytest.fixture
def _superuser(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The tests' own role is a plain one; this Postgres has its superuser at the same address."""
    usual = connection.settings_dict["USER"]
    with django_db_blocker.unblock():
        _connect_as("postgres")
        try:
            connection.ensure_connection()
        except DatabaseError:
            _connect_as(usual)
            pytest.skip("this Postgres lets no superuser in, and only one can make roles")
        yield
        _connect_as(usual)


def _connect_as(user: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["USER"] = user


@pytest.fixture
def account(_superuser: None, db: None) -> UUID:
    """Handed over, and this connection is that of a process from here on; all of it is undone with the test."""
    for role in (OWNER, PROCESSES):
        sql(f"CREATE ROLE {role}")
    hand_over.hand_over(owner=OWNER, processes=PROCESSES)
    hand_over.hand_over(owner=OWNER, processes=PROCESSES)
    sql(f"SET LOCAL ROLE {PROCESSES}")
    account = uuid4()
    record("server.wanted", by="user:1", account=account)
    commit_rules()
    return account


def denied(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
    except DatabaseError as error:
        return error.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    return False


def test_it_adds_events_that_are_numbered(account: UUID) -> None:
    assert Event.objects.get(account_id=account).seq == 1
    assert verdict(account).broken == ""


def test_it_still_has_the_months_turned(account: UUID) -> None:
    assert months.turn(timedelta(days=365)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_event DISABLE TRIGGER USER",
        "ALTER TABLE audit_event DETACH PARTITION audit_event_rest",
        "DROP TRIGGER audit_refuse ON audit_event",
        "DROP TABLE audit_event CASCADE",
        "DROP TABLE audit_event_rest",
        "DROP SCHEMA public CASCADE",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "SET LOCAL session_replication_role = replica",
        "UPDATE audit_event SET by = 'x'",
        "DELETE FROM audit_event_rest",
        "TRUNCATE audit_event",
        "UPDATE audit_head SET seq = 0",
        "INSERT INTO audit_head (chain) VALUES (gen_random_uuid())",
        "DELETE FROM audit_receipt",
        "SELECT audit_drop_month('audit_event_rest')",
        "INSERT INTO audit_event_rest (by, action) VALUES ('x', 'a.b')",
    ],
)
def test_it_cannot_loosen_the_rules(account: UUID, statement: str) -> None:
    assert denied(lambda: sql(statement))


def test_who_could_act_as_the_owner_is_refused(account: UUID) -> None:
    sql("RESET ROLE")
    sql(f"GRANT {OWNER} TO {PROCESSES}")
    with pytest.raises(hand_over.CannotHandOver, match="could act as"):
        hand_over.hand_over(owner=OWNER, processes=PROCESSES)
    with pytest.raises(hand_over.CannotHandOver, match="no role"):
        hand_over.hand_over(owner="nobody_at_all", processes=PROCESSES)


def test_the_processes_role_cannot_do_it(account: UUID) -> None:
    with pytest.raises(hand_over.CannotHandOver, match="superuser"):
        hand_over.hand_over(owner=OWNER, processes=PROCESSES)
    assert connection.in_atomic_block
