"""How a server stays whose subscription has ended: renewed where that can be, else kept with another one."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from billing.models import Subscription
from servers.models import Destruction, Server
from tests.dashboard import world
from tests.keys import age

pytestmark = pytest.mark.django_db
FIXED = "fixed_subscription_period_ended"


@pytest.fixture
def leaving(account: Account) -> Server:
    server = world.ending(account)
    world.subscription(account, server, status="ended", ended_at=timezone.now(), ended_reason="cancelled")
    return server


@pytest.fixture
def new(account: Account, leaving: Server) -> Subscription:
    return world.subscription(account, plan="plus")


def shown(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def keep(client: Client, server: Server, row: Subscription) -> HttpResponse:
    return client.post(f"/servers/{server.pk}/keep", {"subscription": str(row.pk)})


def test_an_owner_keeps_it(as_alice: Client, alice: User, leaving: Server, new: Subscription) -> None:
    html = shown(as_alice, f"/servers/{leaving.pk}/keep?subscription={new.pk}")
    assert "Keep this server" in html
    assert "becomes Plus" in html
    answer = keep(as_alice, leaving, new)
    assert answer["Location"] == f"/servers/{leaving.pk}"
    new.refresh_from_db()
    assert (new.server, Destruction.objects.count()) == (leaving, 0)
    assert "Nothing will be deleted" in shown(as_alice, f"/servers/{leaving.pk}")
    assert "There is no deletion to call off" in shown(as_alice, f"/servers/{leaving.pk}/keep")


def test_it_asks_who_it_is(as_alice: Client, leaving: Server, new: Subscription) -> None:
    age(as_alice)
    answer = keep(as_alice, leaving, new)
    assert answer["Location"].startswith("/prove")
    assert Destruction.objects.count() == 1


def test_a_member_sees_it_and_keeps_nothing(
    client: Client, bob: User, leaving: Server, new: Subscription
) -> None:
    client.force_login(bob)
    html = shown(client, f"/servers/{leaving.pk}/keep")
    assert "Only an owner of the account can keep it" in html
    assert 'name="subscription"' not in html
    assert keep(client, leaving, new).status_code == 403
    assert Destruction.objects.count() == 1


@pytest.mark.parametrize("named", ["", "nothing", "00000000-0000-4000-8000-000000000000", "charlies"])
def test_another_accounts_subscription_is_not_there(
    as_alice: Client, charlie: User, leaving: Server, named: str
) -> None:
    his = world.subscription(charlie.accounts.get())
    asked = str(his.pk) if named == "charlies" else named
    assert as_alice.post(f"/servers/{leaving.pk}/keep", {"subscription": asked}).status_code == 404
    assert Destruction.objects.count() == 1


def test_too_late_is_said_with_what_to_do(as_alice: Client, leaving: Server, new: Subscription) -> None:
    Destruction.objects.update(begun_at=timezone.now())
    answer = keep(as_alice, leaving, new)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "It is too late: the deletion of “leaving” has begun." in html
    assert f"/servers/new?subscription={new.pk}" in html


def test_without_a_new_subscription_it_says_how_to_get_one(as_alice: Client, leaving: Server) -> None:
    html = shown(as_alice, f"/servers/{leaving.pk}/keep")
    assert "A new subscription first" in html
    assert 'href="/plans"' in html


def test_where_a_new_one_would_be_made_the_old_one_is_offered(
    as_alice: Client, leaving: Server, new: Subscription
) -> None:
    assert f"/servers/{leaving.pk}/keep?subscription={new.pk}" in shown(as_alice, "/servers/new")
    Destruction.objects.update(begun_at=timezone.now())
    assert "/keep" not in shown(as_alice, "/servers/new")


def test_the_ending_servers_page_offers_what_can_be_done(as_alice: Client, leaving: Server) -> None:
    def page() -> str:
        return shown(as_alice, f"/servers/{leaving.pk}")

    html = page()
    assert "Renew the subscription at Gumroad" in html
    assert "What the seller cancelled cannot be renewed" in html
    Subscription.objects.update(ended_reason=FIXED)
    html = page()
    assert "Gumroad cannot renew this subscription" in html
    assert "/manage" not in html
    world.subscription(leaving.account)
    html = page()
    assert f"/servers/{leaving.pk}/keep" in html
    assert "Gumroad cannot renew" not in html


@pytest.mark.parametrize("why", ["cancelled", "failed_payment", FIXED])
def test_billing_promises_what_gumroad_can_do(as_alice: Client, leaving: Server, why: str) -> None:
    Subscription.objects.update(ended_reason=why)
    html = shown(as_alice, "/billing")
    can_renew = why != FIXED
    assert ("Renew at Gumroad" in html) is can_renew
    assert ("If you renew before" in html) is can_renew
    assert ("/manage" in html) is can_renew
    assert f"/servers/{leaving.pk}/keep" in html
