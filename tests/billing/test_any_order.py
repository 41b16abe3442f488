"""Pings may come twice, late and in any order, some between the things they tell of: what stays is what Gumroad's API says."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Letter
from audit.models import Event
from billing import actions
from billing.life import Status
from billing.models import Ping, Subscription
from billing.standing import standing
from clients.gumroad import Gumroad
from engine.models import Alarm
from servers.models import Destruction, Server
from tests.billing.conftest import Deliver
from tests.billing.shop import Bought, Shop

AT_THE_SHOP = ["cancel", "end", "fail", "restart", "charge", "decline"]


@contextmanager
def and_forgotten() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Life:
    """What happens at the shop, what arrives here, and when a customer makes a server."""

    def __init__(self, shop: Shop, deliver: Deliver, data: st.DataObject) -> None:
        shop.clear()
        self.shop, self.deliver, self.data = shop, deliver, data
        self.on_the_way = shop.buy()
        (self.bought,) = shop.bought.values()

    def happens(self, what: str) -> None:
        if what == "a ping arrives":
            self.arrives(keep=self.data.draw(st.booleans(), label="and once more later"))
        elif what == "a server is made":
            self.make_server()
        elif self.is_possible(what):
            self.on_the_way += (
                getattr(self, what)() if what == "decline" else getattr(self.shop, what)(self.bought)
            )

    def is_possible(self, what: str) -> bool:
        if what == "restart":
            return bool(self.bought.deactivated or self.bought.cancelled_at)
        return not self.bought.deactivated and not (what == "cancel" and self.bought.cancelled_at)

    def decline(self) -> list[bytes]:
        """A charge that failed is tried again for days, and nobody is told."""
        self.bought.pending_failure = True
        return []

    def arrives(self, *, keep: bool = False) -> None:
        if self.on_the_way:
            body = self.data.draw(st.sampled_from(self.on_the_way), label="which ping")
            if not keep:
                self.on_the_way.remove(body)
            assert self.deliver(body).became == Ping.Became.APPLIED

    def make_server(self) -> None:
        row = Subscription.objects.filter(server=None).exclude(status=Status.ENDED).first()
        if row:
            actions.make_server(subscription=row, name="bakery", place="fsn1", by="user:1")

    def comes_to_rest(self) -> None:
        self.on_the_way.append(self.shop.ping(self.bought, "cancellation"))
        while self.on_the_way:
            self.arrives()


def is_same(here: datetime | None, there: datetime | None) -> bool:
    """The shop of this test comes to several ends within seconds, and without a charge between them the first one counts."""
    return here == there or bool(here and there and abs(here - there) < timedelta(hours=1))


def check(shop: Shop, bought: Bought) -> None:
    row = Subscription.objects.get()
    with Gumroad("token", shop.url) as gumroad:
        there = standing(gumroad.subscriber(bought.id), now=datetime.now(UTC))
    assert row.status == there.status
    is_an_earlier_one = row.ended_at != there.ended_at  # of ends that are one the first one's reason stays
    assert row.ended_reason == there.reason or is_an_earlier_one
    assert is_same(row.ends_at, there.ends_at)
    assert is_same(row.ended_at, there.ended_at)
    doomed = row.status == Status.ENDED and row.server is not None
    assert Destruction.objects.filter(server=row.server).exists() == doomed
    assert Server.objects.count() <= 1
    assert Account.objects.count() == 1
    assert Event.objects.filter(action="subscription.began", subject=row.subject).count() == 1
    assert Letter.objects.filter(kind="welcome").count() <= 1
    assert row.status == Status.ENDED or Letter.objects.filter(kind="welcome").exists()
    assert not Alarm.objects.exists()


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.sampled_from([*AT_THE_SHOP, "a ping arrives", "a ping arrives", "a server is made"]), max_size=10
    ),
    data=st.data(),
)
def test_what_stays_is_what_the_api_says(
    shop: Shop, deliver: Deliver, steps: list[str], data: st.DataObject
) -> None:
    with and_forgotten():
        life = Life(shop, deliver, data)
        for step in steps:
            life.happens(step)
        life.comes_to_rest()
        check(shop, life.bought)
