"""People and places that many tests share."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from functools import cache

import pytest
from django.core.cache import cache as rate_limits
from django.db import connection
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker
from pytest_django.plugin import blocking_manager_key

from accounts.models import Account, Membership, User
from mailat import middleware
from mailat.guesses import Guesses
from tests import database, keys

# A busy machine makes examples slowly, which says nothing of the program.
examples.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("patient")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TransactionTestCase._fixture_teardown = database.delete_all  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Of several workers the first one migrates; alone, and by the options that keep a database, it is as Django's."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or request.config.getoption("reuse_db"):
        request.getfixturevalue("django_db_setup")
        yield
        return
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(database.copy_for(worker, tmp_path_factory.getbasetemp().parent))
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Once, by who started the workers."""
    if not hasattr(session.config, "workerinput"):
        with session.config.stash[blocking_manager_key].unblock():
            database.forget_migrated(session.config._tmp_path_factory.getbasetemp())


def pytest_collection_finish() -> None:
    """What was loaded stays until the end, so nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _plain_files_and_a_cache_of_ones_own() -> Iterator[None]:
    """Pages are rendered without collected files."""
    with override_settings(STORAGES=STORAGES, CACHES=CACHES):
        yield


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """No rate limit is left over from another test, nor what the process remembers of guessers."""
    rate_limits.clear()
    middleware.guesses = Guesses()
    yield
    rate_limits.clear()


@pytest.fixture(autouse=True)
def _empty_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """The log is not among what the end of a test that commits empties, for nothing that obeys its rules can."""
    if not commits(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        cursor.execute(log_deletion())


@pytest.fixture(autouse=True)
def _events_stay_inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test whose writes are undone undoes also the events that the product commits by a connection of their own."""
    mark = request.node.get_closest_marker("django_db")
    if not commits(request) and not (mark and mark.kwargs.get("transaction")):
        monkeypatch.setattr("audit.batches.apart", lambda: nullcontext(connection))


def commits(request: pytest.FixtureRequest) -> bool:
    """Whether what the test writes stays, with nobody else at work in the same database."""
    if request.node.get_closest_marker("integration"):
        return False
    mark = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    return bool(asked or (mark and mark.kwargs.get("transaction")))


@cache
def log_deletion() -> str:
    return database.deletion("audit_event", "audit_head", "audit_receipt")


@pytest.fixture
def alice(db: None) -> User:
    """The owner of an account."""
    user = User.objects.create_user("alice@example.test", name="Alice")
    account = Account.objects.create(name="Alice's bakery")
    Membership.objects.create(account=account, user=user, role=Membership.Role.OWNER)
    return user


@pytest.fixture
def account(alice: User) -> Account:
    return alice.accounts.get()


@pytest.fixture
def bob(account: Account) -> User:
    """A member of Alice's account."""
    user = User.objects.create_user("bob@example.test", name="Bob")
    Membership.objects.create(account=account, user=user, role=Membership.Role.MEMBER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger with an account of his own."""
    user = User.objects.create_user("charlie@example.test", name="Charlie")
    Membership.objects.create(account=Account.objects.create(name="Charlie's"), user=user)
    return user


@pytest.fixture
def stella(db: None) -> User:
    """Staff, with the second factor that staff must have."""
    user = User.objects.create_user("stella@example.test", name="Stella", is_staff=True, is_superuser=True)
    keys.give_app(user)
    return user
