"""The tests' database: migrated once and copied for each worker; what a test committed is deleted, and nothing else."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

T = TypeVar("T")

MIGRATED = "database.migrated"
# Django writes these after each migration, and no test does.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
GUARDED = """SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
 WHERE NOT tgisinternal AND relname = ANY(%s)"""
_flush = TransactionTestCase._fixture_teardown


@contextmanager
def copy_for(worker: str, common: Path) -> Iterator[None]:
    """A worker's own copy of the migrated database, until it ends; `common` is a directory of all workers of this run."""
    before = connection.settings_dict["NAME"]
    with (common / "database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ensure_migrated(common / MIGRATED)
        connection.creation.clone_test_db(worker, verbosity=0)
    _turn_to(connection.creation.get_test_db_clone_settings(worker)["NAME"])
    yield
    connection.creation.destroy_test_db(before, verbosity=0)


def _ensure_migrated(made: Path) -> None:
    """That a database has the name says nothing: a run that was killed may have left it."""
    if made.exists():
        _turn_to(connection.creation._get_test_db_name())
    else:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        made.touch()


def _turn_to(name: str) -> None:
    connection.close()
    connection.close_pool()
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name


def forget_migrated(common: Path) -> None:
    """What the copies were made of, after all of them."""
    if (common / MIGRATED).exists():
        connection.creation._destroy_test_db(connection.creation._get_test_db_name(), verbosity=0)


@contextmanager
def for_many_tests(blocker: DjangoDbBlocker, make: Callable[[], T]) -> Iterator[T]:
    """Rows that stay until the end of the block: the transaction of each test lies within theirs, and undoes only its own."""
    with ExitStack() as stack:
        with blocker.unblock(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("audit.batches.apart", lambda: nullcontext(connection))
            stack.enter_context(_undone())
            made = make()
            connection.check_constraints()
        yield made
        with blocker.unblock():
            stack.close()


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def delete_all(case: TransactionTestCase) -> None:
    """After a test that commits. Django empties each table into a new file, and writes every permission again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_deletion())
    except DatabaseError:  # somebody else is still at work in the same rows
        _flush(case)


@cache
def _deletion() -> str:
    names = set(connection.introspection.django_table_names(only_existing=True))
    return deletion(*sorted(names - KEPT))


def deletion(*names: str) -> str:
    """One transaction, in which no constraint is checked before its end and no trigger keeps a row."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDED, [list(names)])
        guarded = [name for (name,) in cursor.fetchall()]
    return ";".join(
        [
            *(f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in guarded),
            *(f"DELETE FROM {name}" for name in names),
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in guarded),
        ]
    )
