"""What disputes and returns that nobody saw do to a subscription, whichever charge they are of and whenever they come."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Letter
from billing import actions
from billing.models import Subscription
from servers.models import Destruction, Server
from tests.billing.conftest import Deliver
from tests.billing.reconciling import open_alarms, reconciled
from tests.billing.shop import Bought, Shop

pytestmark = pytest.mark.django_db
Status = Subscription.Status


@pytest.fixture
def bought(shop: Shop, deliver: Deliver) -> Bought:
    """Alice pays for a server."""
    deliver(shop.buy()[0])
    actions.make_server(subscription=Subscription.objects.get(), name="bakery", place="fsn1", by="user:1")
    return shop.bought["sub1=="]


def test_a_dispute_of_what_has_ended_gives_nobody_more_time(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.end(bought, days_ago=5)[0])
    due, ended = Destruction.objects.get().due_at, Subscription.objects.get().ended_at
    for body in shop.dispute(bought):
        deliver(body)
    row = Subscription.objects.get()
    assert (row.status, row.ended_at, row.returned) == (Status.ENDED, ended, "disputed")
    assert Destruction.objects.get().due_at == due
    assert not Letter.objects.filter(kind="server_kept").exists()


def test_a_dispute_that_was_won_and_ended_again_unseen_has_its_days_anew(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.end(bought, days_ago=5)[0])
    for body in shop.dispute(bought):
        deliver(body)
    shop.win(bought)
    deliver(shop.end(bought)[0])
    assert Subscription.objects.get().ended_at == bought.cancelled_at
    assert Destruction.objects.get().due_at > timezone.now() + timedelta(days=6)


def test_who_came_back_and_left_within_the_hour_unseen_has_seven_days_from_the_second_end(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.end(bought, days_ago=1)[0])
    shop.restart(bought)
    deliver(shop.end(bought, days_ago=0.99)[0])
    assert bought.cancelled_at
    assert Destruction.objects.get().due_at == bought.cancelled_at + timedelta(days=7)


def test_an_older_charge_that_was_disputed_and_won_is_found_without_a_ping(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.charge(bought)[0])
    for body in shop.dispute(bought, "sale1=="):
        deliver(body)
    Server.objects.update(gone_at=timezone.now())
    reconciled()
    shop.win(bought, "sale1==")
    assert reconciled().repaired == 1
    assert Subscription.objects.get().status == Status.ALIVE


@pytest.mark.parametrize(("then", "alarms"), [("nothing", 0), ("tell", 1)])
def test_staff_hear_of_a_dispute_of_an_older_charge_until_it_is_won(
    shop: Shop, deliver: Deliver, bought: Bought, settings: Any, then: str, alarms: int
) -> None:
    settings.GUMROAD_DISPUTE_ENDS = then
    deliver(shop.charge(bought)[0])
    for body in shop.dispute(bought, "sale1==") * 2:
        deliver(body)
    assert len(open_alarms()) == alarms
    for body in shop.win(bought, "sale1=="):
        deliver(body)
    assert open_alarms() == []


def test_what_ended_so_long_ago_that_no_dispute_is_open_is_left_alone(
    shop: Shop, deliver: Deliver, bought: Bought
) -> None:
    deliver(shop.end(bought, days_ago=241)[0])
    Server.objects.update(gone_at=timezone.now())
    assert reconciled().subscriptions == 0
