"""A life in simulated time: the rules are called when the engine would call them."""

import random
from typing import Any

from bench.lives_rows import ZERO, Clock, Rows
from bench.lives_script import HOUR, TICK, Fate, Script, as_time

LEASE = 60.0  # seconds, ENGINE_LEASE_SECONDS; for the second and later deaths so many times that
PASSED_OVER = 3 * HOUR  # a nap that ends so long before the day is passed over, for nothing can have changed


class Life:
    """One server from its first end until its deletion begins or nothing is left that could happen."""

    def __init__(self, number: int, script: Script, rules: Any, clock: Clock, rows: Rows) -> None:
        self._script, self._rules, self._clock, self._rows = script, rules, clock, rows
        self._chance = random.Random(f"workers of life {number}")
        self._wakes: float | None = None
        self._deaths = script.deaths
        self._tries = 0
        self.fate = Fate()
        rows.row, clock.now = None, 0.0

    def run(self) -> Fate:
        events = list(self._script.events)
        while self.fate.begun is None and (events or self._wakes is not None):
            woken = self._woken_at()
            if events and (woken is None or events[0][0] <= woken):
                self._happens(*events.pop(0))
            elif woken is not None:
                self._works(woken)
        return self.fate

    def _woken_at(self) -> float | None:
        """When a worker takes what is due: within a tick, or within a tick after workers are up again."""
        if self._wakes is None:
            return None
        at = self._wakes
        for begins, ends in sorted(self._script.nobody_works):
            if begins <= at < ends:
                at = ends
        return at + self._late

    def _sleep(self, until: float) -> None:
        self._wakes, self._late = until, self._chance.uniform(0, TICK)

    def _happens(self, at: float, kind: str, ago: float) -> None:
        self._clock.now = at
        if kind == "end":
            ended = ZERO + as_time(at - ago)
            self._rules.schedule(server=self._rules.server, ended_at=ended, reason="cancelled", by="gumroad")
        else:
            self.fate.too_late_to_stay |= not self._rules.keep(server=self._rules.server, by="gumroad")
        if self._wakes is None or self._tries == 0:
            self._sleep(at)

    def _works(self, at: float) -> None:
        self._clock.now, step = at, "wait_grace"
        while step in ("wait_grace", "begin"):
            if step == "begin" and self._deaths:
                return self._dies(at)
            outcome = getattr(self._rules.program, step)()
            step = getattr(outcome, "step", "")
        self._tries = 0
        if self._rows.row and self._rows.row.begun_at:
            self.fate.begun = (self._rows.row.begun_at - ZERO).total_seconds()
        seconds = getattr(outcome, "seconds", None)
        if seconds is None:
            self._wakes = None
            return None
        return self._sleep(self._passed_over(at + seconds))

    def _dies(self, at: float) -> None:
        self._deaths, self._tries = self._deaths - 1, self._tries + 1
        self.fate.held.append((at, at + LEASE * self._tries))
        self._sleep(at + LEASE * self._tries)

    def _passed_over(self, wakes: float) -> float:
        row = self._rows.row
        left = (row.due_at - ZERO).total_seconds() - wakes if row else 0.0
        if left <= PASSED_OVER:
            return wakes
        return wakes + left - PASSED_OVER + self._chance.uniform(-HOUR, HOUR)
