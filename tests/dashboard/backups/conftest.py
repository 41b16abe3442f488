"""Alice's firm on a server with backups, and what of it the pages are about."""

from typing import Any

import pytest

from accounts.models import Account
from backups.models import Point, Repository
from domains.models import Domain, Mailbox
from servers.models import Server
from tests.dashboard import backups_world


@pytest.fixture(autouse=True)
def _storage(settings: Any) -> None:
    backups_world.is_set_up(settings)


@pytest.fixture
def firm(account: Account) -> Domain:
    return backups_world.firm(account)


@pytest.fixture
def server(firm: Domain) -> Server:
    return Server.objects.get(pk=firm.home)


@pytest.fixture
def repository(server: Server) -> Repository:
    return Repository.objects.get(pk=server.pk)


@pytest.fixture
def point(firm: Domain) -> Point:
    return Point.objects.filter(repository=firm.home).latest("stored_at")


@pytest.fixture
def anna(firm: Domain) -> Mailbox:
    return firm.mailboxes.get(local="anna")
