"""The plan is that of the newest charge: backups are kept as it says at once, and the server is to follow in its window."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from backups.models import Repository, Retention
from billing import actions
from billing.models import Ping, Subscription
from engine import actions as engine
from engine import worker
from engine.models import Alarm, Run
from servers.models import Agent, PlanChange, Server
from servers.programs.keep import Keep
from tests.billing.conftest import Deliver
from tests.billing.shop import Shop

pytestmark = pytest.mark.django_db
DAY, Became = timedelta(days=1), Ping.Became


@pytest.fixture
def server(shop: Shop, deliver: Deliver, settings: Any) -> Server:
    """Bought as Plus; it is kept."""
    settings.STORAGE_URL, settings.STORAGE_BUCKET = "http://127.0.0.1:9", "backups"
    deliver(shop.buy()[0])
    actions.make_server(subscription=Subscription.objects.get(), name="bakery", place="fsn1", by="user:1")
    server = Server.objects.get()
    Agent.objects.create(server=server, key_hash=sha256(b"x").hexdigest(), seal_key="A" * 44)
    engine.start(Keep, subject=server.subject)
    keep(server)
    return server


def keep(server: Server) -> Run:
    """What a worker does if it is due; the agent has applied everything."""
    run = Run.objects.get(program="Keep", subject=server.subject)
    for _ in range(2):
        worker.work(run.pk)
        agent = Agent.objects.get(server=server)
        Agent.objects.update(applied_version=agent.desired_version)
        run.refresh_from_db()
    return run


def pays(shop: Shop, deliver: Deliver, tier: str) -> str:
    bought = shop.bought["sub1=="]
    bought.tier = tier
    return deliver(shop.charge(bought)[0]).became


def promised() -> list[timedelta]:
    return list(Retention.objects.values_list("keep", flat=True))


def test_a_larger_and_a_smaller_plan_change_the_promise_at_once(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    assert promised() == [7 * DAY]
    for tier, kept in (("Pro", 30 * DAY), ("Basic", DAY)):
        Run.objects.filter(program="Keep").update(due_at=timezone.now() + DAY)
        assert pays(shop, deliver, tier) == Became.APPLIED
        run = Run.objects.get(program="Keep")
        assert run.due_at
        assert run.due_at <= timezone.now()
        keep(server)
        assert promised()[-1] == kept
        assert f'"keep":{int(kept.total_seconds())}' in Agent.objects.get().desired_body
    assert (Subscription.objects.get().plan, Server.objects.get().plan) == ("basic", "plus")
    assert Repository.objects.get().room == 40 * 10**9


def wanted() -> list[tuple[str, str, str]]:
    return list(PlanChange.objects.order_by("pk").values_list("before", "after", "state"))


def test_the_server_is_to_be_of_the_plan_that_is_paid_for(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    assert pays(shop, deliver, "Pro") == Became.APPLIED
    assert wanted() == [("plus", "pro", PlanChange.State.WAITING)]
    assert not Alarm.objects.exists()
    assert pays(shop, deliver, "Plus") == Became.APPLIED
    keep(server)
    assert promised() == [7 * DAY]
    assert wanted() == [("plus", "pro", PlanChange.State.WITHDRAWN)]
    told = Event.objects.filter(action="subscription.plan_changed").order_by("pk")
    assert [event.facts["plan"] for event in told] == ["pro", "plus"]


def test_a_charge_that_is_told_late_does_not_take_the_newer_plan_back(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    bought = shop.bought["sub1=="]
    (late,) = shop.charge(bought)
    assert pays(shop, deliver, "Pro") == Became.APPLIED
    assert deliver(late).became == Became.APPLIED
    assert Subscription.objects.get().plan == "pro"
    assert len(wanted()) == 1


def test_another_plan_is_free_while_there_is_no_server(shop: Shop, deliver: Deliver) -> None:
    deliver(shop.buy()[0])
    assert pays(shop, deliver, "Pro") == Became.APPLIED
    assert Subscription.objects.get().plan == "pro"
    assert wanted() == []


def test_a_server_that_is_ending_is_not_moved(shop: Shop, deliver: Deliver, server: Server) -> None:
    bought = shop.bought["sub1=="]
    bought.tier = "Pro"
    (charge,) = shop.charge(bought)
    (end,) = shop.end(bought)
    for body in (end, charge):
        assert deliver(body).became == Became.APPLIED
    assert (Subscription.objects.get().plan, wanted()) == ("pro", [])
    for body in shop.restart(bought):
        deliver(body)
    assert wanted() == [("plus", "pro", PlanChange.State.WAITING)]


def test_what_is_announced_is_shown_and_waits_for_its_charge(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    bought = shop.bought["sub1=="]
    announcement = shop.announce(bought, "Basic", days=20)
    for _ in range(2):
        assert deliver(announcement).became == Became.APPLIED
    row = Subscription.objects.get()
    assert (row.plan, row.next_plan, wanted()) == ("plus", "basic", [])
    assert row.next_plan_at
    assert row.next_plan_at > timezone.now() + 19 * DAY
    assert Event.objects.filter(action="subscription.plan_announced").count() == 1
    pays(shop, deliver, "Basic")
    row.refresh_from_db()
    assert (row.plan, row.next_plan, row.next_plan_at) == ("basic", "", None)
    assert deliver(announcement).became == Became.APPLIED
    row.refresh_from_db()
    assert row.next_plan == "", "told late, of what has been done"


def test_a_change_that_was_taken_back_is_forgotten_with_the_next_charge(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    bought = shop.bought["sub1=="]
    deliver(shop.announce(bought, "Basic"))
    deliver(shop.charge(bought)[0])
    assert Subscription.objects.get().next_plan == ""


def test_a_change_back_that_is_announced_leaves_nothing_announced(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    bought = shop.bought["sub1=="]
    deliver(shop.announce(bought, "Basic"))
    deliver(shop.announce(bought, "Plus"))
    assert Subscription.objects.get().next_plan == ""


def test_an_old_announcement_that_comes_after_a_charge_is_an_old_story(
    shop: Shop, deliver: Deliver, server: Server
) -> None:
    announcement = shop.announce(shop.bought["sub1=="], "Basic", days=-1)
    upgraded = shop.announce(shop.bought["sub1=="], "Basic", days=20)
    pays(shop, deliver, "Pro")
    for body in (announcement, upgraded):
        assert deliver(body).became == Became.APPLIED
        assert Subscription.objects.get().next_plan == ""


def test_an_announcement_of_an_unknown_tier_is_told_of(shop: Shop, deliver: Deliver, server: Server) -> None:
    assert deliver(shop.announce(shop.bought["sub1=="], "Gold")).became == Became.PUZZLING
    assert "Gold" in Alarm.objects.get(closed_at=None).says
    deliver(shop.announce(shop.bought["sub1=="], "Basic"))
    assert not Alarm.objects.filter(closed_at=None).exists()
