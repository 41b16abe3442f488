"""A subscription from the sale to its end, and back."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Account, Letter, User
from audit.models import Event
from billing import actions
from billing.models import Ping, Subscription
from engine.models import Alarm, Run
from servers.actions import BadName
from servers.models import Destruction, Server
from tests.billing.conftest import Deliver
from tests.billing.shop import Bought, Shop

pytestmark = pytest.mark.django_db
Became, Status = Ping.Became, Subscription.Status


def events(row: Subscription) -> list[str]:
    found = Event.objects.filter(subject=row.subject).order_by("pk")
    return [action.removeprefix("subscription.") for action in found.values_list("action", flat=True)]


@pytest.fixture
def paid(shop: Shop, deliver: Deliver) -> Subscription:
    """Alice has bought, and has not chosen a server yet."""
    for body in shop.buy():
        deliver(body)
    return Subscription.objects.get()


@pytest.fixture
def bought(shop: Shop, paid: Subscription) -> Bought:
    return shop.bought[paid.gumroad_id]


@pytest.fixture
def server(paid: Subscription) -> Server:
    return actions.make_server(subscription=paid, name="bakery", place="fsn1", by="user:1")


def test_a_sale_opens_an_account_and_lets_its_owner_in(shop: Shop, deliver: Deliver) -> None:
    (ping,) = [deliver(body) for body in shop.buy()]
    row = Subscription.objects.get()
    assert (ping.became, ping.kind, ping.about) == (Became.APPLIED, "sale", "sale1==")
    assert ping.subscription == row
    assert (row.plan, row.status, row.recurrence) == ("plus", Status.ALIVE, "monthly")
    assert row.account.people.get().email == "alice@example.test"
    letter = Letter.objects.get(kind="welcome")
    assert letter.to == "alice@example.test"
    assert letter.context["goes_to"] == f"/servers/new?subscription={row.pk}"
    assert events(row) == ["began"]
    assert not Alarm.objects.exists()


def test_the_same_sale_told_many_times_is_one(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    for told in (body, body, body + b"&retry_count=1", body):
        assert deliver(told).became == Became.APPLIED
    assert Subscription.objects.count() == Account.objects.count() == User.objects.count() == 1
    assert Letter.objects.count() == 1
    assert Event.objects.filter(action="subscription.began").count() == 1


def test_a_second_subscription_of_one_buyer_is_in_the_same_account(shop: Shop, deliver: Deliver) -> None:
    for body in shop.buy() + shop.buy(email="Alice@Example.test", tier="basic"):
        deliver(body)
    assert Subscription.objects.count() == 2
    assert Account.objects.count() == 1
    assert Letter.objects.filter(kind="welcome").count() == 2


@pytest.mark.parametrize("tier", ["plus", "PLUS", " Plus "])
def test_the_tier_is_matched_in_whatever_case(shop: Shop, deliver: Deliver, tier: str) -> None:
    deliver(shop.buy(tier=tier)[0])
    assert Subscription.objects.get().plan == "plus"


def test_a_server_is_made_once_for_a_subscription(paid: Subscription, server: Server) -> None:
    assert (server.plan, server.account_id) == ("plus", paid.account_id)
    assert Subscription.objects.get().server == server
    with pytest.raises(actions.HasServer, match="bakery"):
        actions.make_server(subscription=paid, name="other", place="fsn1", by="user:1")
    assert Server.objects.count() == 1


def test_a_wish_that_fails_leaves_the_subscription_free(paid: Subscription) -> None:
    with pytest.raises(BadName):
        actions.make_server(subscription=paid, name="no name", place="fsn1", by="user:1")
    assert Subscription.objects.get().server is None


def test_a_new_server_may_take_the_place_of_one_that_is_gone(paid: Subscription, server: Server) -> None:
    Server.objects.update(gone_at=timezone.now())
    new = actions.make_server(subscription=paid, name="bakery", place="hel1", by="user:1")
    assert Subscription.objects.get().server == new


def test_a_cancellation_is_an_end_to_come(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    assert deliver(shop.cancel(bought)[0]).became == Became.APPLIED
    paid.refresh_from_db()
    assert (paid.status, paid.ends_at, paid.ended_at) == (Status.ENDING, bought.cancelled_at, None)
    assert not Destruction.objects.exists()
    assert events(paid) == ["began", "ending"]


def test_a_cancellation_that_is_withdrawn_leaves_all_as_it_was(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    for body in shop.cancel(bought) + shop.restart(bought):
        deliver(body)
    paid.refresh_from_db()
    assert (paid.status, paid.ends_at, paid.server) == (Status.ALIVE, None, server)


def test_the_end_schedules_the_destruction_of_the_server(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    for body in shop.end(bought) * 2:
        deliver(body)
    paid.refresh_from_db()
    destruction = Destruction.objects.get()
    assert (paid.status, paid.ended_reason, paid.ended_at) == (Status.ENDED, "cancelled", bought.cancelled_at)
    assert destruction.server == server
    assert (destruction.by, destruction.reason) == ("gumroad", "cancelled")
    assert destruction.due_at == paid.ended_at + timedelta(days=7)
    assert events(paid) == ["began", "ended"]


def test_a_payment_that_fails_for_good_ends_it(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    for body in shop.fail(bought):
        deliver(body)
    paid.refresh_from_db()
    assert (paid.status, paid.ended_reason, paid.ended_at) == (
        Status.ENDED,
        "failed_payment",
        bought.failed_at,
    )
    assert Destruction.objects.count() == 1


def test_nothing_is_made_for_a_subscription_that_has_ended(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought
) -> None:
    deliver(shop.end(bought)[0])
    with pytest.raises(actions.HasEnded):
        actions.make_server(subscription=paid, name="bakery", place="fsn1", by="user:1")
    assert not Server.objects.exists()


def test_coming_back_keeps_the_server(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    for body in shop.end(bought) + shop.restart(bought):
        deliver(body)
    deliver(shop.end(bought)[0])
    assert Destruction.objects.count() == 1
    for body in shop.restart(bought):
        deliver(body)
    paid.refresh_from_db()
    assert (paid.status, paid.server, paid.ended_at, paid.ended_reason) == (Status.ALIVE, server, None, "")
    assert not Destruction.objects.exists()
    assert Letter.objects.filter(kind="welcome").count() == 1


@pytest.mark.parametrize("how_far", ["begun", "gone"])
def test_coming_back_too_late_leaves_room_for_a_new_server(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server, how_far: str
) -> None:
    deliver(shop.end(bought)[0])
    Destruction.objects.update(begun_at=timezone.now())
    if how_far == "gone":
        Server.objects.update(gone_at=timezone.now())
    for body in shop.restart(bought):
        deliver(body)
    paid.refresh_from_db()
    assert (paid.status, paid.server) == (Status.ALIVE, None)
    assert Destruction.objects.count() == 1
    assert events(paid) == ["began", "ended", "resumed", "server_lost"]
    assert Letter.objects.filter(kind="welcome").count() == 2, "there is a server to be made once more"
    assert actions.make_server(subscription=paid, name="bakery-2", place="fsn1", by="user:1")


def test_an_end_after_a_return_that_nobody_saw_counts_its_days_anew(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    deliver(shop.end(bought, days_ago=5)[0])
    first = Destruction.objects.get().due_at
    shop.restart(bought)
    deliver(shop.end(bought, days_ago=1)[0])
    paid.refresh_from_db()
    assert paid.ended_at == bought.cancelled_at
    assert Destruction.objects.get().due_at == paid.ended_at + timedelta(days=7) > first + timedelta(days=3)
    assert events(paid) == ["began", "ended", "resumed", "ended"]


def test_nobody_is_welcomed_to_what_has_ended_anew(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    deliver(shop.end(bought, days_ago=9)[0])
    Destruction.objects.update(begun_at=timezone.now())
    shop.restart(bought)
    deliver(shop.end(bought)[0])
    assert Subscription.objects.get().server is None
    assert Letter.objects.filter(kind="welcome").count() == 1


def test_an_end_that_was_brought_forward_is_read_as_one_end_ever_after(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    """Gumroad then goes on telling the date on which it would have ended."""
    shop.cancel(bought, days=20)
    bought.deactivated = True
    body = shop.ping(bought, "subscription_ended")
    deliver(body)
    paid.refresh_from_db()
    ended, due = paid.ended_at, Destruction.objects.get().due_at
    assert paid.status == Status.ENDED
    assert due == ended + timedelta(days=7)

    Subscription.objects.update(ended_at=ended - timedelta(hours=5))
    deliver(body)
    Subscription.objects.update(ends_at=timezone.now() - timedelta(hours=3))
    bought.cancelled_at = Subscription.objects.get().ends_at
    deliver(body)
    assert Subscription.objects.get().ended_at == ended - timedelta(hours=5)
    assert Destruction.objects.get().due_at == due
    assert events(paid) == ["began", "ended"]


def test_what_a_person_decided_is_not_undone_by_a_renewal(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought, server: Server
) -> None:
    Destruction.objects.create(server=server, by="staff:1", reason="abuse", due_at=timezone.now())
    for body in shop.cancel(bought) + shop.restart(bought) + shop.charge(bought):
        deliver(body)
    assert Destruction.objects.get().by == "staff:1"


def test_an_end_that_is_known_first_welcomes_nobody(shop: Shop, deliver: Deliver) -> None:
    bodies = shop.buy()
    shop.end(shop.bought["sub1=="])
    deliver(bodies[0])
    row = Subscription.objects.get()
    assert row.status == Status.ENDED
    assert not Letter.objects.exists()
    for body in shop.restart(shop.bought["sub1=="]):
        deliver(body)
    assert Letter.objects.get().kind == "welcome"


def test_an_event_that_overtakes_the_sale_begins_the_subscription(shop: Shop, deliver: Deliver) -> None:
    sold = shop.buy()
    deliver(shop.cancel(shop.bought["sub1=="])[0])
    row = Subscription.objects.get()
    assert (row.status, row.plan) == (Status.ENDING, "plus")
    deliver(sold[0])
    assert events(row) == ["began"]
    assert Letter.objects.count() == 1


def test_a_refund_is_noted_and_ends_nothing(
    shop: Shop, deliver: Deliver, paid: Subscription, bought: Bought
) -> None:
    ping = deliver(shop.refund("sale1==")[0])
    assert (ping.kind, ping.became) == ("refund", Became.APPLIED)
    assert "refunded in part" in ping.note
    assert Subscription.objects.get().status == Status.ALIVE


def test_ids_of_a_sale_and_of_a_subscription_may_be_the_same_text(shop: Shop, deliver: Deliver) -> None:
    (body,) = shop.buy()
    sale = shop.sales.pop("sale1==")
    shop.sales["sub1=="] = {**sale, "id": "sub1=="}
    assert deliver(body.replace(b"sale_id=sale1", b"sale_id=sub1")).became == Became.APPLIED
    assert Subscription.objects.get().gumroad_id == "sub1=="


def test_every_event_bears_the_run_that_it_came_of(shop: Shop, deliver: Deliver) -> None:
    ping = deliver(shop.buy()[0])
    run = Run.objects.get(subject=ping.subject)
    event = Event.objects.get(action="subscription.began")
    assert (event.by, event.reference) == ("gumroad", str(run.pk))
    assert isinstance(event.account_id, UUID)


def test_the_subscriptions_of_an_account_are_its_own(
    paid: Subscription, shop: Shop, deliver: Deliver, charlie: User
) -> None:
    deliver(shop.buy(email="charlie@example.test")[0])
    assert list(actions.subscriptions_of(paid.account)) == [paid]
    assert actions.plan_of(paid).name == "Plus"
