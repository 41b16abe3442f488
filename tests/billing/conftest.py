"""A Gumroad to ask, and a worker's hand to read pings with."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.actions import keep_ping
from billing.models import Ping
from engine import lease, worker
from engine.models import Run
from tests.billing import shop as shops
from tests.billing.shop import Shop

FORM = "application/x-www-form-urlencoded"
Deliver = Callable[..., Ping]


@pytest.fixture(scope="session")
def only_shop() -> Iterator[Shop]:
    with shops.opened() as shop:
        yield shop


@pytest.fixture
def shop(only_shop: Shop, settings: Any) -> Shop:
    only_shop.clear()
    settings.GUMROAD_API_URL = only_shop.url
    return only_shop


def work_on(ping: Ping, steps: int = 10) -> Ping:
    """Does what workers do about one ping, without waiting for naps."""
    for _ in range(steps):
        live = Run.objects.filter(program="ApplyPing", subject=ping.subject, finished_at=None)
        if not live.update(due_at=timezone.now() - timedelta(hours=1)):
            break
        for taken in lease.take(run_id=live.get().pk):
            worker.walk(taken, until=float("inf"))
    ping.refresh_from_db()
    return ping


@pytest.fixture
def deliver(db: None) -> Deliver:
    """Keeps a ping and reads it."""

    def deliver(body: bytes, content_type: str = FORM) -> Ping:
        return work_on(keep_ping(body=body, content_type=content_type))

    return deliver
