"""Two workers that read about one subscription at once follow each other, so that no older answer wins."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from billing import life
from billing.actions import keep_ping
from billing.models import Ping, Subscription
from tests.billing.conftest import FORM, work_on
from tests.billing.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_worker(work: Any) -> None:
    """Runs it on a connection of its own, and raises what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def test_a_subscription_is_asked_about_by_one_at_a_time(shop: Shop) -> None:
    sold = keep_ping(body=shop.buy()[0], content_type=FORM)
    ends = keep_ping(body=shop.end(shop.bought["sub1=="])[0], content_type=FORM)

    def second() -> None:
        work_on(ends, steps=2)
        ends.refresh_from_db()
        assert ends.became == Ping.Became.NEW
        assert shop.asked == []

    with transaction.atomic():
        assert life.take_turn("sub1==")
        in_another_worker(second)
    assert work_on(ends).became == Ping.Became.APPLIED
    assert work_on(sold).became == Ping.Became.APPLIED
    assert Subscription.objects.get().status == Subscription.Status.ENDED


def test_an_older_answer_never_overwrites_a_newer_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a worker holds the answer “alive”, the subscription ends and another worker comes with the news."""
    work_on(keep_ping(body=shop.buy()[0], content_type=FORM))
    bought = shop.bought["sub1=="]
    renewal = keep_ping(body=shop.charge(bought)[0], content_type=FORM)
    apply, news = life.apply_subscriber, []

    def overtaken(**answer: Any) -> Subscription:
        if not news:
            news.append(keep_ping_elsewhere(shop.end(bought)[0]))
            in_another_worker(lambda: work_on(news[0], steps=2))
        return apply(**answer)

    monkeypatch.setattr(life, "apply_subscriber", overtaken)
    assert work_on(renewal).became == Ping.Became.APPLIED
    assert work_on(news[0]).became == Ping.Became.APPLIED
    assert Subscription.objects.get().status == Subscription.Status.ENDED


def keep_ping_elsewhere(body: bytes) -> Ping:
    kept: list[Ping] = []
    in_another_worker(lambda: kept.append(keep_ping(body=body, content_type=FORM)))
    return kept[0]


def test_other_subscriptions_do_not_wait(shop: Shop) -> None:
    taken: list[bool] = []
    with transaction.atomic():
        assert life.take_turn("sub1==")
        in_another_worker(lambda: taken.extend([_tries("sub2=="), _tries("sub1==")]))
    assert taken == [True, False]


def _tries(gumroad_id: str) -> bool:
    with transaction.atomic():
        return life.take_turn(gumroad_id)
