"""What happens at Gumroad and here while time passes: renewals, ends and declined cards there; nights, looks and deletions here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from django.utils import timezone

from billing import last_look, reconcile
from billing.models import Subscription
from engine import actions as engine
from engine import lease, worker
from engine.models import Run
from servers.models import Destruction, Server
from tests.billing.shop import Bought, Shop

MONTH, WEEK, SLICE, NIGHT = timedelta(days=30), timedelta(days=7), timedelta(hours=6), timedelta(hours=24)
PATIENCE = timedelta(days=5)  # Gumroad tries a card for so long
BEFORE = timedelta(minutes=5)  # between two rounds of the clock that looks at who came back


class Clock:
    """The only time that the product and the shop know; it lies in the past, so that the database's is later."""

    def __init__(self) -> None:
        self.at = timezone.now() - timedelta(days=2000)

    def __call__(self) -> datetime:
        return self.at

    @contextmanager
    def shown(self) -> Iterator[None]:
        with mock.patch("django.utils.timezone.now", self), mock.patch("servers.actions.database_now", self):
            yield


class Year:
    """The shop's subscriptions with what is paid until when, and our clock's work."""

    def __init__(self, shop: Shop, clock: Clock) -> None:
        self.shop, self.clock = shop, clock
        self.paid_until: dict[str, datetime] = {}
        self.next_tier: dict[str, str] = {}
        self.declined: set[str] = set()
        self.on_the_way: list[bytes] = []
        self.last_night = clock()

    def passes(self, length: timedelta) -> None:
        until = self.clock.at + length
        while self.clock.at < until:
            self._moves_to(min(self.clock.at + SLICE, until))

    def _moves_to(self, moment: datetime) -> None:
        """To the moment, and before it to those at which a deletion is due and to the round before them."""
        dues = Destruction.objects.filter(begun_at=None, due_at__lte=moment).values_list("due_at", flat=True)
        for due in sorted(dues):
            for at in (due - BEFORE, due):
                self.clock.at = max(self.clock.at, at)
                self._turn()
        self.clock.at = max(self.clock.at, moment)
        self._turn()

    def _turn(self) -> None:
        for bought in self.shop.bought.values():
            self._lapses(bought)
        if self.clock.at - self.last_night >= NIGHT:
            self.last_night = self.clock.at
            self.reconciles()
        last_look.look_before_the_end()
        work_on_all("AskAgain")
        self._deletes()

    def reconciles(self) -> None:
        engine.start(reconcile.Reconcile, subject=reconcile.SUBJECT)
        work_on_all("Reconcile")

    def _deletes(self) -> None:
        """As Destroy does on the day, of which tests/servers tells; whoever pays must not be met here."""
        for row in Destruction.objects.filter(begun_at=None, due_at__lte=self.clock.at):
            subscription = Subscription.objects.get(server=row.server_id)
            bought = self.shop.bought[subscription.gumroad_id]
            assert bought.deactivated, "a paying customer's server is being destroyed"
            end = bought.unheard_end or ended_at(bought)
            assert self.clock.at - end >= WEEK, "destroyed before its day"
            Destruction.objects.filter(pk=row.pk).update(begun_at=self.clock.at)
            Server.objects.filter(pk=row.server_id).update(gone_at=self.clock.at)

    def _lapses(self, bought: Bought) -> None:
        while not bought.deactivated and self.paid_until[bought.id] <= self.clock.at:
            at = self.paid_until[bought.id]
            if bought.cancelled_at:
                bought.deactivated = True
                self.on_the_way += [self.shop.ping(bought, "subscription_ended", ended_reason="cancelled")]
            elif bought.id in self.declined:
                bought.pending_failure = True
                if self.clock.at < at + PATIENCE:
                    return
                self.on_the_way += self.shop.fail(bought)
                bought.failed_at = at + PATIENCE
            else:
                self.renews(bought, at)

    def renews(self, bought: Bought, at: datetime) -> None:
        bought.tier = self.next_tier.pop(bought.id, bought.tier)
        self.on_the_way += self.shop.charge(bought, at=at)
        self.paid_until[bought.id] = at + MONTH


def ended_at(bought: Bought) -> datetime:
    assert bought.ended_at
    return bought.ended_at


def work_on_all(program: str, steps: int = 200) -> None:
    """What workers do about the program's runs, without waiting for naps."""
    for _ in range(steps):
        live = Run.objects.filter(program=program, finished_at=None)
        if not live.update(due_at=timezone.now()):
            return
        for taken in lease.take(most=20):
            if taken.run.program == program:
                worker.walk(taken, until=float("inf"))
    raise AssertionError(f"{program} does not come to an end")
