"""From one generation to the next: checked, switched, tried, and taken back if what worked before does not work after.

The process may be killed at any line. What it was about to do stands in files beside the generations: `trial.json` (a
switch that is not proven yet), `taken_back.json` (what was proven wrong, and how long it is left alone) and, by settling,
`running.json`. Where `held` names a generation, that one is in force and no other: an administrator's way back.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..files import read_object, write_whole
from ..log import say
from . import checking
from .commands import Failed
from .generations import Rendered, Store, fingerprint
from .part import Part
from .settling import Failures, Settling, joined, words

TRIAL, TAKEN_BACK, HELD = "trial.json", "taken_back.json", "held"
PATIENCE = 20.0  # seconds for what worked before to work again
BREATH = 0.2  # seconds between two looks
STEADY = 2  # looks in a row that must find all well
AGAIN, AT_LAST = 300.0, 6 * 3600.0  # seconds until what was taken back is tried again; doubled each time

Probe = Callable[[Iterable[str] | None], Mapping[str, str]]
Check = Callable[[Sequence[str], Mapping[str, str], Path, Path], None]


class NotDone(Exception):
    """The generation wanted is not in force, or not all of it works; the text says why, for an administrator."""


class Change:
    """Brings generations into force; `probe` says by name what is wrong ("" for nothing), of those named or of all."""

    def __init__(
        self, parts: Sequence[Part], probe: Probe, store: Store, check: Check = checking.in_private_etc
    ) -> None:
        self.parts, self.probe, self.store, self.check = parts, probe, store, check
        self.daemons = Settling(parts, store)

    def bring(self, rendered: Rendered) -> None:
        """Make this the generation in force, however often it is asked for; raises NotDone."""
        self.store.ready()
        self._make_good()
        self._hold()
        changed = self.store.changed(rendered)
        if not changed and self.store.in_force():
            failures = self.daemons.settle()
            self._shed()
            return self._demand(failures)
        self._spare_what_was_taken_back(fingerprint(rendered))
        number = self.store.stage(rendered)
        try:
            self._check(number, changed)
        except NotDone:
            self.store.drop(number)
            raise
        self._try(number, changed, fingerprint(rendered))
        return self.store.tidy()

    def withdraw(self) -> None:
        """What was handed to us is used no more, though nothing newer than what is in force works; raises NotDone, Failed."""
        in_force = self.store.in_force()
        lying = [part for part in self.parts if part.without and self.store.has(in_force, part.given)]
        if lying:
            files = self.store.rendered(in_force)
            files |= {part.name: part.without(files[part.name]) for part in lying if part.without}
            number = self.store.stage(files)
            self._path(TRIAL).unlink(missing_ok=True)
            self.daemons.forget(part.name for part in lying)
            self.store.switch(number)
            say(f"generation {number} is in force: the one before without what was taken away")
        if in_force:
            failures = self.daemons.settle()
            self._shed()
            self._demand(failures)

    def taken_back(self) -> dict[str, Any] | None:
        """When, what and why, since the last generation that stayed."""
        note = self._read(TAKEN_BACK)
        return {key: note[key] for key in ("at", "generation", "why")} if note else None

    def _make_good(self) -> None:
        trial = self._read(TRIAL)
        if not trial:
            return
        decided = self._read(TAKEN_BACK).get("generation") == trial["to"]
        if decided:
            self._go_back(trial)
        elif self.store.in_force() == trial["to"]:
            self._prove(trial)
        else:
            self._path(TRIAL).unlink()  # killed before the switch

    def _hold(self) -> None:
        path = self._path(HELD)
        if not path.exists():
            return
        words = path.read_text(encoding="ascii", errors="replace").split()[:1]
        number = int(words[0]) if words and words[0].isdigit() else 0
        if number not in self.store.numbers():
            raise NotDone(f"{path} names no generation")
        if self.store.in_force() != number:
            say(f"generation {number} is put in force, because {path} says so")
            self.store.switch(number)
        self._demand(self.daemons.settle())
        raise NotDone(f"generation {number} is held by {path}")

    def _spare_what_was_taken_back(self, wanted: str) -> None:
        note = self._read(TAKEN_BACK)
        if not note or note["fingerprint"] != wanted or not self.store.in_force():
            return
        if 0 <= time.time() - note["at"] < note["again"]:
            raise NotDone(f"generation {note['generation']} was taken back: {note['why']}")

    def _check(self, number: int, changed: set[str]) -> None:
        tasks = [
            (part.name, command) for part in self.parts if part.name in changed for command in part.check
        ]
        all_links = {path: inside for part in self.parts for path, inside in part.links.items()}

        def check(task: tuple[str, Sequence[str]]) -> str:
            try:
                self.check(task[1], all_links, self.store.place(number), self.store.current)
            except (Failed, OSError) as failure:
                return f"{task[0]}: {words(failure)}"
            return ""

        with ThreadPoolExecutor(max_workers=4) as pool:
            if failures := [failure for failure in pool.map(check, tasks) if failure]:
                raise NotDone("; ".join(failures))

    def _try(self, number: int, changed: set[str], wanted: str) -> None:
        before = self.store.in_force()
        fine = sorted(name for name, why in self.probe(None).items() if not why) if before else []
        trial = {"from": before, "to": number, "fine": fine, "ailing": sorted(self.daemons.ailing())}
        self._note(TRIAL, {**trial, "fingerprint": wanted})
        self.daemons.forget(changed)
        self.store.switch(number)
        say(f"generation {number} is in force, on trial")
        self._prove({**trial, "fingerprint": wanted})

    def _prove(self, trial: dict[str, Any]) -> None:
        failures = self.daemons.settle()
        # Only what was well before speaks against a generation; without one before there is nothing to go back to.
        against = {who: why for who, why in failures.items() if who not in trial["ailing"]}
        why = joined(against) or self._what_broke(trial["fine"])
        if why and trial["from"]:
            self._condemn(trial, why)
            self._go_back(trial)
        self._path(TAKEN_BACK).unlink(missing_ok=True)
        self._path(TRIAL).unlink()
        self._shed()
        self._demand(failures)

    def _shed(self) -> None:
        """Credentials that were taken away lie nowhere any more, once nothing goes back to them."""
        self.store.shed(path for part in self.parts for path in part.given)

    def _condemn(self, trial: dict[str, Any], why: str) -> None:
        last = self._read(TAKEN_BACK)
        again = last["again"] * 2 if last.get("fingerprint") == trial["fingerprint"] else AGAIN
        note = {"at": int(time.time()), "generation": trial["to"], "why": why}
        self._note(TAKEN_BACK, {**note, "fingerprint": trial["fingerprint"], "again": min(again, AT_LAST)})

    def _go_back(self, trial: dict[str, Any]) -> None:
        why = self._read(TAKEN_BACK)["why"]
        say(f"generation {trial['to']} is taken back: {why}")
        self.store.switch(trial["from"])
        if failures := self.daemons.settle():
            say(f"generation {trial['from']} is in force again, but {joined(failures)}")
        self._path(TRIAL).unlink()
        raise NotDone(f"generation {trial['to']} was taken back: {why}")

    def _what_broke(self, fine: list[str]) -> str:
        deadline, well = time.monotonic() + PATIENCE, 0
        while fine and well < STEADY:
            broken = {name: why for name, why in self.probe(fine).items() if why}
            well = 0 if broken else well + 1
            if broken and time.monotonic() > deadline:
                return "; ".join(f"{name} no longer works: {why}" for name, why in broken.items())
            if well < STEADY:
                time.sleep(BREATH)
        return ""

    def _demand(self, failures: Failures) -> None:
        if failures:
            raise NotDone(joined(failures))

    def _path(self, name: str) -> Path:
        return self.store.home / name

    def _read(self, name: str) -> dict[str, Any]:
        return read_object(self._path(name))

    def _note(self, name: str, fields: dict[str, Any]) -> None:
        write_whole(self._path(name), json.dumps(fields, sort_keys=True) + "\n")
