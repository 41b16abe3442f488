"""Whoever cannot renew and buys anew keeps the server that waits for its deletion, once, or hears that it is too late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Letter
from audit.models import Event
from billing import actions, keeping
from billing.models import Subscription
from servers import desired
from servers.models import Destruction, PlanChange, Server
from servers.programs.destroy import Destroy
from tests.billing.conftest import Deliver
from tests.billing.shop import Shop
from tests.servers.conftest import program

pytestmark = pytest.mark.django_db
Status = Subscription.Status


@pytest.fixture
def server(shop: Shop, deliver: Deliver, db: None) -> Server:
    """Alice's, whose subscription the seller has cancelled."""
    deliver(shop.buy()[0])
    made = actions.make_server(subscription=old(), name="bakery", place="fsn1", by="user:1")
    deliver(shop.end(shop.bought["sub1=="])[0])
    return made


def old() -> Subscription:
    return Subscription.objects.get(gumroad_id="sub1==")


@pytest.fixture
def new(shop: Shop, deliver: Deliver, server: Server) -> Subscription:
    """What she buys then, as a new subscription."""
    deliver(shop.buy(tier="Pro", days_ago=0)[0])
    return Subscription.objects.get(gumroad_id="sub2==")


def take_over(server: Server, by: Subscription) -> None:
    keeping.take_over(server=server, subscription=by, by="user:1")


def comes_the_day(server: Server) -> str:
    """Where the program of the deletion goes on then."""
    Destruction.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    return str(program(Destroy, server).wait_grace())


def test_who_buys_anew_keeps_the_server_that_waits(new: Subscription, server: Server) -> None:
    take_over(server, new)
    new.refresh_from_db()
    assert (new.server, old().server, old().status) == (server, None, Status.ENDED)
    assert not Destruction.objects.exists()
    assert "kept" in comes_the_day(server)
    assert Letter.objects.filter(kind="server_kept").count() == 1


def test_it_is_the_new_plan_that_counts(new: Subscription, server: Server) -> None:
    take_over(server, new)
    change = PlanChange.objects.get(finished_at=None)
    assert (change.before, change.after) == ("plus", "pro")
    assert desired.backups_plan(Server.objects.get()).key == "pro"


def test_a_plan_that_the_old_one_had_wished_is_withdrawn(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    """It was paid for just before the end, and the new subscription is for what the server is."""
    PlanChange.objects.create(server=server, before="plus", after="basic", by="x", at=timezone.now())
    deliver(shop.buy(tier="Plus", days_ago=0)[0])
    take_over(server, Subscription.objects.get(gumroad_id="sub2=="))
    assert PlanChange.objects.get().state == PlanChange.State.WITHDRAWN


def test_saying_it_again_changes_nothing(new: Subscription, server: Server) -> None:
    take_over(server, new)
    take_over(server, new)
    event = Event.objects.get(action="subscription.server_kept")
    assert (event.by, event.subject, event.facts["server"]) == ("user:1", new.subject, str(server.pk))


def test_the_new_ones_end_counts_its_own_seven_days(
    shop: Shop, deliver: Deliver, new: Subscription, server: Server
) -> None:
    take_over(server, new)
    deliver(shop.end(shop.bought["sub2=="])[0])
    new.refresh_from_db()
    assert new.ended_at
    assert Destruction.objects.get().due_at == new.ended_at + timedelta(days=7)


def test_what_is_heard_of_the_old_one_afterwards_ends_nothing(
    shop: Shop, deliver: Deliver, new: Subscription, server: Server
) -> None:
    take_over(server, new)
    bought = shop.bought["sub1=="]
    for body in [*shop.end(bought), *shop.restart(bought), *shop.end(bought)]:
        deliver(body)
    assert (old().server, Destruction.objects.count()) == (None, 0)


@pytest.mark.parametrize("gone", [False, True])
def test_once_the_deletion_has_begun_it_is_too_late(new: Subscription, server: Server, gone: bool) -> None:
    Destruction.objects.update(begun_at=timezone.now())
    Server.objects.update(gone_at=timezone.now() if gone else None)
    with pytest.raises(keeping.CannotKeep, match=r"too late.*Make a new server"):
        take_over(server, new)
    new.refresh_from_db()
    assert (new.server, old().server) == (None, server)
    assert actions.make_server(subscription=new, name="bakery-2", place="fsn1", by="user:1")


def test_a_server_that_is_paid_for_is_not_taken_over(
    shop: Shop, deliver: Deliver, new: Subscription, server: Server
) -> None:
    for body in shop.restart(shop.bought["sub1=="]):
        deliver(body)
    with pytest.raises(keeping.CannotKeep, match="not going to be deleted"):
        take_over(server, new)
    assert old().server == server


def test_one_subscription_keeps_one_server(new: Subscription, server: Server) -> None:
    other = actions.make_server(subscription=new, name="other", place="fsn1", by="user:1")
    with pytest.raises(keeping.CannotKeep, match="other"):
        take_over(server, new)
    new.refresh_from_db()
    assert (new.server, Destruction.objects.count()) == (other, 1)


def test_what_has_ended_keeps_nothing(
    shop: Shop, deliver: Deliver, new: Subscription, server: Server
) -> None:
    deliver(shop.end(shop.bought["sub2=="])[0])
    for row in (new, old()):
        with pytest.raises(keeping.CannotKeep, match="has ended"):
            take_over(server, row)
    assert Destruction.objects.count() == 1


def test_what_another_account_pays_keeps_nothing_here(shop: Shop, deliver: Deliver, server: Server) -> None:
    deliver(shop.buy(email="charlie@example.test", days_ago=0)[0])
    with pytest.raises(keeping.CannotKeep):
        take_over(server, Subscription.objects.get(gumroad_id="sub2=="))
    assert Destruction.objects.count() == 1


def test_the_welcome_leads_to_the_one_that_waits(new: Subscription, server: Server) -> None:
    letter = Letter.objects.filter(kind="welcome").latest("written_at")
    assert letter.context["goes_to"] == f"/servers/{server.pk}/keep?subscription={new.pk}"
    assert letter.context["keeps"] == desired.host_name(server)


def test_where_two_wait_nobody_guesses(
    shop: Shop, deliver: Deliver, new: Subscription, server: Server
) -> None:
    actions.make_server(subscription=new, name="other", place="fsn1", by="user:1")
    deliver(shop.end(shop.bought["sub2=="])[0])
    deliver(shop.buy(days_ago=0)[0])
    third = Subscription.objects.get(gumroad_id="sub3==")
    letter = Letter.objects.get(context__goes_to=f"/servers/new?subscription={third.pk}")
    assert letter.context["keeps"] == ""
    waiting = keeping.ending(Account.objects.get())
    assert [one.name for one in waiting] == ["bakery", "other"]


@pytest.mark.django_db(transaction=True)
def test_of_keeping_and_deleting_at_once_one_wins(new: Subscription, server: Server) -> None:
    Destruction.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    barrier = Barrier(2)

    def keeps() -> bool:
        barrier.wait()
        try:
            take_over(server, new)
        except keeping.CannotKeep:
            return False
        finally:
            connection.close()
        return True

    def deletes() -> bool:
        barrier.wait()
        try:
            return "stop_others" in str(program(Destroy, server).begin())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        kept, deleted = pool.submit(keeps), pool.submit(deletes)
    assert kept.result() is not deleted.result()
    new.refresh_from_db()
    assert (new.server == server) is kept.result()
