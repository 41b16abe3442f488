"""The same lives in Postgres, with the engine's own leases and steps; time passes by making the rows older."""

import random
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from bench.lives_script import HOUR, Fate, Script, as_time, verdict
from engine import lease, worker
from engine.models import Run
from sandbox.clock import COLUMNS
from servers import actions
from servers.models import Destruction

NEAR = 2.2 * HOUR
AGED = ("servers_destruction", "engine_run")


class Lived:
    """`now` is seconds since the life began: what the clock says, and what the rows were made older by."""

    def __init__(self, number: int, script: Script) -> None:
        self._script, self._chance, self._deaths = (
            script,
            random.Random(f"workers of life {number}"),
            script.deaths,
        )
        account = Account.objects.create(name="Bench")
        self._server = actions.want_server(
            account=account, name=f"s{number}", place="fsn1", plan="basic", by="bench"
        )
        Run.objects.filter(subject=self._server.subject).update(finished_at=timezone.now(), due_at=None)
        self._began, self._aged, self._columns = timezone.now(), timedelta(), _columns()
        self.fate = Fate()

    def now(self) -> float:
        return (timezone.now() - self._began + self._aged).total_seconds()

    def run(self) -> Fate:
        for at, kind, ago in self._script.events:
            self._let_pass_until(at)
            if self.fate.begun is not None:
                break
            self._happens(kind, ago)
        self._let_pass_until(None)
        return self.fate

    def _happens(self, kind: str, ago: float) -> None:
        if kind == "end":
            ended = timezone.now() - as_time(ago)
            actions.schedule_destruction(
                server=self._server, ended_at=ended, reason="cancelled", by="gumroad"
            )
        else:
            actions.keep_server(server=self._server, by="gumroad")

    def _let_pass_until(self, until: float | None) -> None:
        """Whatever falls due by then is worked, within a tick; what is far from its day is passed over."""
        while self.fate.begun is None:
            woken = self._next_wake()
            if woken is None or (until is not None and woken >= until):
                break
            self._pass(woken - self.now())
            self._work()
        if until is not None and self.fate.begun is None:
            self._pass(until - self.now())

    def _next_wake(self) -> float | None:
        run = self._run()
        if run is None or run.due_at is None:
            return None
        at = self._true(run.due_at)
        row = Destruction.objects.filter(server=self._server).first()
        if row and self._true(row.due_at) - at > NEAR and run.wakes == getattr(self, "_seen_wakes", -1):
            at = self._true(row.due_at) - NEAR
        self._seen_wakes = run.wakes
        for begins, ends in sorted(self._script.nobody_works):
            if begins <= at < ends:
                at = ends
        return at + self._chance.uniform(0, settings.ENGINE_TICK_SECONDS)

    def _true(self, moment: object) -> float:
        return (moment - self._began + self._aged).total_seconds()  # type: ignore[operator,no-any-return]

    def _run(self) -> Run | None:
        return Run.objects.filter(subject=self._server.subject, program="Destroy", finished_at=None).first()

    def _work(self) -> None:
        run = self._run()
        for taken in lease.take(run_id=run.pk) if run else []:
            while worker_goes_on(self, taken):
                pass
        row = Destruction.objects.filter(server=self._server).first()
        if row and row.begun_at:
            self.fate.begun = self._true(row.begun_at)

    def dies_over(self, taken: lease.Taken) -> bool:
        """Whether this worker is killed in the middle of the step: what it did is undone, and the run stays held."""
        if taken.run.step != "begin" or not self._deaths:
            return False
        self._deaths -= 1
        with transaction.atomic():
            worker.perform(taken.run)
            transaction.set_rollback(True)
        run = self._run()
        if run and run.due_at:
            self.fate.held.append((self.now() - 1, self._true(run.due_at)))
        return True

    def _pass(self, seconds: float) -> None:
        if seconds <= 0:
            return
        by = as_time(seconds)
        with connection.cursor() as cursor:
            for table, names in self._columns.items():
                cursor.execute(
                    f"UPDATE {table} SET {', '.join(f'{name} = {name} - %(by)s' for name in names)}",
                    {"by": by},
                )
        self._aged += by


def worker_goes_on(life: Lived, taken: lease.Taken) -> bool:
    if taken.run.step not in ("wait_grace", "begin") or life.dies_over(taken):
        return False
    return worker.advance(taken)


def _columns() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for table in AGED:
            cursor.execute(COLUMNS, [table])
            found[table] = [name for (name,) in cursor.fetchall()]
    return found


def lived_verdict(number: int, script: Script) -> tuple[str, float]:
    """Nothing of it stays, so that the next life begins with empty tables."""
    with transaction.atomic():
        fate = Lived(number, script).run()
        found = verdict(script, fate)
        transaction.set_rollback(True)
    return found
