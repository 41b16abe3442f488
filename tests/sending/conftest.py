"""Alice's server, her account at Amazon's stand-in, and the keys that she pastes."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Account
from domains import actions as domains
from domains.models import Domain, Letter
from engine import lease, worker
from engine.models import Run
from sending import actions
from sending.models import Credentials
from servers.models import Agent, Server
from tests.domains.conftest import seal_pair
from tests.sandbox.aws.place import REGION, Place, patiently

BY = "user:1"
PATIENCE = 600.0  # seconds; its end only ends a failing test


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


@pytest.fixture
def amazon(place: Place, settings: Any) -> Iterator[Place]:
    settings.AWS_API_URL = place.api
    with patiently():
        yield place


@pytest.fixture
def server(account: Account) -> Server:
    """One that is ready; its agent has a key of its own."""
    made = Server.objects.create(
        account=account, name="post", plan="basic", place="fsn1", ready_at=timezone.now()
    )
    Agent.objects.create(server=made, key_hash="x", seal_key=seal_pair()[0])
    return made


@pytest.fixture
def firm(server: Server) -> Domain:
    return domains.add_domain(account=server.account, home=server.pk, name="firm.test", by=BY)


def paste(firm: Domain, key: dict[str, Any], **more: object) -> Credentials:
    """What the form does, and what a worker then does until it must wait."""
    wish: dict[str, Any] = {
        "account": firm.account,
        "home": firm.home,
        "region": REGION,
        "access_key": key["access_key"],
        "secret_key": key["secret"],
        "sender_domain": firm,
        **more,
    }
    row = actions.propose(**wish, by=BY)
    work()
    return fresh(row)


def work() -> None:
    """A worker at everything that is due, until nothing is; however long a busy machine takes for it."""
    while batch := lease.take(most=worker.AT_ONCE):
        for taken in batch:
            worker.walk(taken, time.monotonic() + PATIENCE)


def due_now() -> None:
    """Every nap is over."""
    Run.objects.filter(finished_at=None).update(due_at=timezone.now())
    work()


def answer(home: UUID, said: tuple[int, str] = (250, "250 Ok 0100")) -> None:
    """The server reports what became of its letter."""
    letter = Letter.objects.get(home=home, answered_at=None)
    told = {"id": str(letter.pk), "at": 1_795_000_000, "code": said[0], "answer": said[1]}
    domains.note_letters(home=home, told=[told])
    due_now()


def fresh(row: Credentials) -> Credentials:
    return Credentials.objects.get(pk=row.pk)


def codes(row: Credentials) -> list[str]:
    return [each["code"] for each in fresh(row).refusals]
