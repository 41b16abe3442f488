"""A life of one server between paid and gone, in which time passes by making its rows older, and what must be true of it.

`aged` is how much time has passed by that; a moment of a row plus `aged` is a moment on one line of time that never jumps.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone as clock

from accounts.models import Account
from clients.gumroad import Subscriber
from engine import lease, worker
from engine.lease import Taken
from engine.models import Run
from sandbox.clock import COLUMNS
from servers import actions
from servers.models import Destruction, Server

AGED = ("servers_destruction", "engine_run")
GRACE, NOTICE = timedelta(days=7), timedelta(days=1)


class SevenDays:
    """Each method is something that happens; after each the promise is looked at."""

    def __init__(self, account: Account) -> None:
        self.server = actions.want_server(
            account=account, name="post", place="fsn1", plan="basic", by="user:1"
        )
        Run.objects.all().delete()
        self.aged, self.columns = timedelta(), _columns()
        self.due: datetime | None = None

    def now(self) -> datetime:
        return clock.now() + self.aged

    @property
    def row(self) -> Destruction | None:
        return Destruction.objects.filter(server=self.server).first()

    @property
    def run(self) -> Run | None:
        return Run.objects.filter(program="Destroy", finished_at=None).first()

    @property
    def has_begun(self) -> bool:
        row = self.row
        return bool(row and row.begun_at)

    # --- what happens

    def hears_of_the_end(self, ago: timedelta, zone: str) -> None:
        """As Gumroad's API writes it, in whatever zone."""
        before = self.row
        told = (clock.now() - ago).astimezone(ZoneInfo(zone)).isoformat()
        said = Subscriber.read({"id": "s", "product_id": "p", "status": "cancelled", "cancelled_at": told})
        assert said.cancelled_at
        earliest = clock.now()
        row = actions.schedule_destruction(
            server=self.server, ended_at=said.cancelled_at, reason="cancelled", by="gumroad"
        )
        assert row
        if before:
            assert row.due_at == before.due_at, "saying it again moves nothing"
            return
        least = max(said.cancelled_at + GRACE, earliest + NOTICE)
        assert least <= row.due_at <= max(said.cancelled_at + GRACE, clock.now() + NOTICE)
        self.due = row.due_at + self.aged

    def comes_back(self) -> None:
        begun = self.has_begun
        assert actions.keep_server(server=self.server, by="gumroad") is not begun
        if not begun:
            self.due = None

    def is_put_off(self, days: int) -> None:
        row = self.row
        if row and not row.begun_at and row.extended_days + days <= actions.MOST_EXTENDED:
            actions.extend_grace(server=self.server, days=days, by="user:1", reason="asked for")
            self.due = self.due and self.due + timedelta(days=days)

    def time_passes(self, by: timedelta) -> None:
        """Nobody works meanwhile."""
        with connection.cursor() as cursor:
            for table, names in self.columns.items():
                changes = ", ".join(f"{name} = {name} - %(by)s" for name in names)
                cursor.execute(f"UPDATE {table} SET {changes}", {"by": by})
        self.aged += by

    def workers_work(self, hours: float, tick: Callable[[], float]) -> None:
        """They are up all the time: what falls due is taken at most one tick later."""
        until = self.now() + timedelta(hours=hours)
        while not self.has_begun:
            run = self.run
            next_at = (run.due_at or clock.now()) + self.aged if run else until
            wait = max(timedelta(), next_at - self.now()) + timedelta(seconds=tick())
            if self.now() + wait >= until:
                break
            self.time_passes(wait)
            self.a_tick()
        self.time_passes(max(timedelta(), until - self.now()))
        self.a_tick()

    def a_tick(self) -> None:
        """A worker that lives looks at what is due; it must do what is due, and nothing that is not."""
        began, is_dead_mans = self.now(), self._is_held()
        for taken in self.take():
            self.step(taken)
        if self.due and began >= self.due and not is_dead_mans:
            assert self.has_begun, "late"
        self.check()

    def take(self) -> list[Taken]:
        """The run if it is due; where the deletion has begun, the rest is told in test_destroy."""
        run = self.run
        return lease.take(run_id=run.pk) if run and not self.has_begun else []

    def step(self, taken: Taken) -> None:
        """Step after step until it naps; more than a few would be a circle."""
        for _ in range(4):
            if not worker.advance(taken) or self.has_begun:
                return
        raise AssertionError(f"goes in circles at {taken.run.step}")

    def _is_held(self) -> bool:
        """By a worker that died: its lease has to end first."""
        return Run.objects.filter(
            program="Destroy", finished_at=None, due_at__gt=clock.now(), held=True
        ).exists()

    def a_worker_dies(self) -> None:
        """In the middle of a step: what it did is undone with its transaction, and the run stays in its hands."""
        for taken in self.take():
            with transaction.atomic():
                worker.perform(taken.run)
                transaction.set_rollback(True)
        self.check()

    @contextmanager
    def a_wrong_clock(self, off: timedelta) -> Any:
        """A machine of ours is off; the database's clock is right."""
        real = clock.now
        with mock.patch("django.utils.timezone.now", side_effect=lambda: real() + off):
            yield

    # --- what must be true

    def check(self) -> None:
        row = self.row
        assert Server.objects.filter(pk=self.server.pk, gone_at=None).exists()
        assert bool(row) == (self.due is not None)
        if row and row.begun_at:
            assert self.due
            assert row.begun_at + self.aged >= self.due, "early"


def _columns() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        found = {}
        for table in AGED:
            cursor.execute(COLUMNS, [table])
            found[table] = [name for (name,) in cursor.fetchall()]
    return found


def in_berlin(*moment: int) -> datetime:
    """A moment that knows its zone's clock changes, unlike one with an offset."""
    return datetime(*moment, tzinfo=ZoneInfo("Europe/Berlin"))  # type: ignore[misc,arg-type]
