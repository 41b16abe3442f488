"""Any life, with pings in any order, doubled, late or lost, and reconciliation at any moment, ends as Gumroad's API tells.

A few examples at each run, 10,000 with HYPOTHESIS_PROFILE=nightly, any number with HYPOTHESIS_EXAMPLES.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing import actions, keeping
from billing.models import Ping, Subscription
from billing.standing import standing
from clients.gumroad import Gumroad
from engine.models import Alarm
from servers.models import Destruction, PlanChange, Server
from tests.billing.conftest import FORM, work_on
from tests.billing.shop import Bought, Shop
from tests.billing.year import MONTH, SLICE, WEEK, Clock, Year, ended_at

Status = Subscription.Status
USUAL = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 12
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", USUAL))
TIERS = ["Basic", "Plus", "Pro"]
WHICH = st.integers(0, 1)
DISPUTABLE, DECIDED = timedelta(days=120), timedelta(days=90)  # so long after a charge, and after its dispute


class Lives(RuleBasedStateMachine):
    """Two subscriptions of one buyer."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.room = transaction.atomic()
        self.room.__enter__()
        self.clock = Clock()
        self.shown = self.clock.shown()
        self.shown.__enter__()
        shop.clear()
        self.shop, self.year = shop, Year(shop, self.clock)
        self.servers = 0
        self.disputed_at: dict[str, datetime] = {}

    # --- at the shop

    def which(self, number: int) -> Bought | None:
        self.clock.at += timedelta(seconds=1)
        return self.shop.bought.get(f"sub{number + 1}==")

    @precondition(lambda self: len(self.shop.bought) < 2)
    @rule(tier=st.sampled_from(TIERS))
    def buys(self, tier: str) -> None:
        self.clock.at += timedelta(seconds=1)
        self.year.on_the_way += self.shop.buy(tier=tier, days_ago=0)
        self.year.paid_until[f"sub{len(self.shop.bought)}=="] = self.clock.at + MONTH

    @rule(number=WHICH)
    def cancels(self, number: int) -> None:
        bought = self.which(number)
        if bought and not bought.deactivated and not bought.cancelled_at and not bought.pending_failure:
            left = self.year.paid_until[bought.id] - self.clock.at
            self.year.on_the_way += self.shop.cancel(bought, days=left / timedelta(days=1))
            bought.cancelled_at = self.year.paid_until[bought.id]

    @rule(number=WHICH)
    def comes_back(self, number: int) -> None:
        bought = self.which(number)
        if bought and (bought.deactivated or bought.cancelled_at):
            was_over, unheard = bought.deactivated, bought.unheard_end
            told, sold = self.shop.restart(bought)
            self.year.declined.discard(bought.id)
            self.year.on_the_way += [told, sold] if was_over else [told]
            if was_over:
                self.year.paid_until[bought.id] = self.clock.at + MONTH
            else:
                del self.shop.sales[bought.sales.pop()]
                bought.unheard_end = unheard

    @rule(number=WHICH)
    def is_ended_by_the_seller(self, number: int) -> None:
        bought = self.which(number)
        if bought and not bought.deactivated:
            self.year.on_the_way += self.shop.end(bought)

    @rule(number=WHICH)
    def has_a_card_declined(self, number: int) -> None:
        bought = self.which(number)
        if bought and not bought.deactivated and not bought.cancelled_at:
            self.year.declined.add(bought.id)

    @rule(number=WHICH, tier=st.sampled_from(TIERS))
    def changes_the_plan(self, number: int, tier: str) -> None:
        bought = self.which(number)
        if not bought or bought.status != "alive" or bought.cancelled_at or tier == bought.tier:
            return
        left = (self.year.paid_until[bought.id] - self.clock.at) / timedelta(days=1)
        if TIERS.index(tier) < TIERS.index(bought.tier):
            self.year.on_the_way.append(self.shop.announce(bought, tier, days=left))
            self.year.next_tier[bought.id] = tier
        else:
            self.year.on_the_way.append(self.shop.announce(bought, tier, days=0))
            bought.tier = tier
            self.year.next_tier.pop(bought.id, None)
            self.year.renews(bought, self.clock.at)

    @rule(number=WHICH)
    def takes_a_downgrade_back(self, number: int) -> None:
        if bought := self.which(number):
            self.year.next_tier.pop(bought.id, None)

    @rule(number=WHICH, in_full=st.booleans())
    def gets_money_back(self, number: int, in_full: bool) -> None:
        bought = self.which(number)
        if bought:
            self.year.on_the_way += self.shop.refund(bought.sales[-1], in_full=in_full)
            if bought.cancelled_at and not bought.deactivated:
                self.year.on_the_way += self.shop.end(bought)

    @rule(number=WHICH, back=st.integers(0, 2))
    def disputes(self, number: int, back: int) -> None:
        bought = self.which(number)
        if not bought:
            return
        sale = self.shop.sales[bought.sales[-1 - back % len(bought.sales)]]
        charged_at = datetime.fromisoformat(sale["created_at"])
        if not sale.get("disputed") and self.clock.at < charged_at + DISPUTABLE:
            self.disputed_at[sale["id"]] = self.clock.at
            was_heard = Subscription.objects.filter(gumroad_id=bought.id, ended_at=bought.ended_at).exists()
            self.year.on_the_way += self.shop.dispute(bought, sale["id"])
            if not was_heard:  # the moved end is the first that anybody can hear of
                bought.first_end = None

    @rule(number=WHICH)
    def loses_a_dispute(self, number: int) -> None:
        bought = self.which(number)
        for sale_id in bought.sales if bought else ():
            if self.is_open(sale_id) and bought:
                self.year.on_the_way += self.shop.win(bought, sale_id)
                self.year.paid_until[bought.id] = max(self.year.paid_until[bought.id], self.clock.at)
                return

    def is_open(self, sale_id: str) -> bool:
        at, is_won = self.disputed_at.get(sale_id), self.shop.sales[sale_id].get("dispute_won")
        return bool(at and not is_won and self.clock.at < at + DECIDED)

    # --- on the way, and here

    @precondition(lambda self: self.year.on_the_way)
    @rule(data=st.data(), again=st.booleans(), retried=st.sampled_from([b"", b"&retry_count=2"]))
    def a_ping_arrives(self, data: st.DataObject, again: bool, retried: bytes) -> None:
        body = data.draw(st.sampled_from(self.year.on_the_way))
        if not again:
            self.year.on_the_way.remove(body)
        ping = actions.keep_ping(body=body + retried, content_type=FORM)
        assert work_on(ping).became == Ping.Became.APPLIED

    @precondition(lambda self: self.year.on_the_way)
    @rule()
    def pings_are_lost(self) -> None:
        self.year.on_the_way.clear()

    @rule()
    def is_reconciled(self) -> None:
        self.year.reconciles()

    @rule()
    def a_server_is_made(self) -> None:
        waiting = Subscription.objects.exclude(status=Status.ENDED).filter(server=None)
        for row in waiting.order_by("began_at")[:1]:
            self.servers += 1
            actions.make_server(subscription=row, name=f"s{self.servers}", place="fsn1", by="user:1")

    @rule()
    def a_server_that_waits_is_kept_with_the_other(self) -> None:
        new = Subscription.objects.exclude(status=Status.ENDED).filter(server=None).first()
        server = keeping.ending(new.account).first() if new else None
        if new and server:
            keeping.take_over(server=server, subscription=new, by="user:1")
            assert not Destruction.objects.filter(server=server).exists()

    @rule(hours=st.sampled_from([1, 20, 24 * 3, 24 * 8, 24 * 25]))
    def time_passes(self, hours: int) -> None:
        self.year.passes(timedelta(hours=hours))

    # --- what must be so

    @invariant()
    def nobody_is_served_past_the_day(self) -> None:
        for bought in self.shop.bought.values():
            over = bought.deactivated and self.clock.at > ended_at(bought) + WEEK + SLICE
            kept = Server.objects.filter(subscription__gumroad_id=bought.id, gone_at=None)
            assert not (over and kept.exists()), "kept past its day"

    @invariant()
    def the_seven_days_count_from_the_first_end(self) -> None:
        for row in Destruction.objects.filter(begun_at=None).select_related("server__subscription"):
            bought = self.shop.bought[row.server.subscription.gumroad_id]
            assert not bought.deactivated or row.due_at <= ended_at(bought) + WEEK, "given more than its days"

    @invariant()
    def only_what_has_ended_is_to_be_deleted(self) -> None:
        doomed = Destruction.objects.filter(begun_at=None).exclude(server__subscription__status=Status.ENDED)
        assert not doomed.exists()

    def teardown(self) -> None:
        try:
            self.year.reconciles()
            self.is_as_told()
            for body in self.year.on_the_way:
                work_on(actions.keep_ping(body=body, content_type=FORM))
            self.is_as_told()
        finally:
            self.shown.__exit__(None, None, None)
            transaction.set_rollback(True)
            self.room.__exit__(None, None, None)

    def is_as_told(self) -> None:
        rows = {row.gumroad_id: row for row in Subscription.objects.select_related("server")}
        assert rows.keys() == self.shop.bought.keys()
        for bought in self.shop.bought.values():
            self.is_one_as_told(rows[bought.id], bought)
        puzzling = (
            Alarm.objects.filter(closed_at=None)
            .exclude(key__contains="refunded")
            .exclude(key__contains="disputed")
        )
        assert not puzzling.exists()

    def is_one_as_told(self, row: Subscription, bought: Bought) -> None:
        with Gumroad("token", self.shop.url) as gumroad:
            there = standing(gumroad.subscriber(bought.id), now=self.clock.at)
        newest = self.shop.sales[bought.sales[-1]]
        assert row.status == there.status
        assert row.plan == newest["variants"]["Tier"].lower()
        assert row.charged_at == datetime.fromisoformat(newest["created_at"]).astimezone(UTC)
        lives = row.server is not None and row.server.gone_at is None
        if lives or row.status != Status.ENDED:  # what is over for good is not looked at again
            assert bool(row.returned) == bool(
                newest.get("refunded") or (newest.get("disputed") and not newest.get("dispute_won"))
            )
        doomed = Destruction.objects.filter(server=row.server, begun_at=None).exists()
        assert doomed == (lives and row.status == Status.ENDED)
        if lives and row.status != Status.ENDED:
            wanted = PlanChange.objects.filter(server=row.server, finished_at=None).values_list(
                "after", flat=True
            )
            assert list(wanted) == ([row.plan] if row.plan != row.server.plan else [])


@pytest.mark.django_db
def test_any_life_ends_as_the_api_tells(shop: Shop) -> None:
    run_state_machine_as_test(
        lambda: Lives(shop),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
