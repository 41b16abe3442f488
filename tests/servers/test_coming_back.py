"""Whoever comes back before the deletion finds everything as it was; after it there is a clean start."""

from typing import Any

import pytest

from accounts.models import Account
from backups.models import Point, Repository
from clients.object_storage import Storage
from domains.models import Domain, Mailbox
from servers import actions, desired
from servers.models import Destruction, PlanChange, Server, Suspension
from tests.servers.conftest import Vendor
from tests.servers.growing import Growing, fill
from tests.servers.test_move_killed import end

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def lives(server: Server, vendor: Vendor, storage: Storage) -> Growing:
    living = Growing(server, vendor)
    fill(server, 3, 10**9)
    return living


def everything(server: Server) -> dict[str, Any]:
    """What a customer has of it, and what it is ordered to be."""
    columns = Server.objects.filter(pk=server.pk).values().get()
    return {
        "server": {name: value for name, value in columns.items() if name != "watched_until"},
        "order": desired.wanted(Server.objects.get(pk=server.pk)),
        "points": list(Point.objects.filter(gone_at=None).values_list("snapshot", flat=True)),
    }


def test_before_it_everything_is_as_it_was(lives: Growing):
    lives.run(lambda: bool(lives._live("Keep")))
    before = everything(lives.server)
    row = actions.schedule_destruction(
        server=lives.server, ended_at=lives.server.wanted_at, reason="cancelled", by="gumroad"
    )
    assert row
    for _ in range(3):
        lives.work()
        lives.act()
    assert actions.keep_server(server=lives.server, by="gumroad")
    lives.run(lambda: lives._live("Destroy") is None)
    assert everything(lives.server) == before
    assert [one["state"] for one in lives.vendor.machines()] == ["running"]
    assert Destruction.objects.count() == 0


def test_after_it_nothing_of_before_is_there_and_the_name_is_free(lives: Growing, account: Account):
    actions.suspend_sending(server=lives.server, reason="why", by="user:9")
    end(lives)
    assert not actions.keep_server(server=lives.server, by="gumroad")
    assert (Domain.objects.count(), Mailbox.objects.count()) == (0, 0)
    assert Repository.objects.living().count() == 0
    anew = actions.want_server(account=account, name="post", place="fsn1", plan="basic", by="user:1")
    order: Any = desired.wanted(anew)
    assert anew.pk != lives.server.pk
    assert (order["mail"]["domains"], order["mail"]["mailboxes"]) == ([], [])
    assert not Suspension.objects.filter(server=anew).exists()
    assert not PlanChange.objects.filter(server=anew).exists()
