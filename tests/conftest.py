"""People and places that many tests share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection

from accounts.models import Account, Membership, User


@pytest.fixture(autouse=True)
def _plain_static_files(settings: object) -> None:
    """Pages are rendered without collected files."""
    settings.STORAGES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _fresh_cache(settings: object) -> Iterator[None]:
    """No rate limit is left over from another test."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}  # type: ignore[attr-defined]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _empty_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """The log is not among what the end of a test that commits empties, for nothing that obeys its rules can."""
    if not commits(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    empty_log()


def commits(request: pytest.FixtureRequest) -> bool:
    """Whether what the test writes stays, with nobody else at work in the same database."""
    if request.node.get_closest_marker("integration"):
        return False
    mark = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    return bool(asked or (mark and mark.kwargs.get("transaction")))


def empty_log() -> None:
    with connection.cursor() as cursor:
        for table in ("audit_event", "audit_head", "audit_receipt"):
            for statement in ("ALTER TABLE {} DISABLE TRIGGER USER", "DELETE FROM {}"):
                cursor.execute(statement.format(table))
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


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
    """Staff."""
    return User.objects.create_user("stella@example.test", name="Stella", is_staff=True, is_superuser=True)
