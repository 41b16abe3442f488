"""The threads in which chores come round, and what they have to report."""

import copy
import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ..log import place, say
from . import canary, certificates, letters, look, patches, policy, store, usage
from .apply import MailSystem
from .chore import Chore, Situation

# One chore at a time in each lane: a look around must not wait for an update, for a mail that does not come, or until a
# great deal of mail is deleted.
LANES: tuple[tuple[Chore, ...], ...] = (
    (look.CHORE, policy.CHORE, usage.CHORE),
    (certificates.CHORE, canary.CHORE),  # in this order: without a certificate no test mail comes back
    (patches.CHORE,),
    (store.CHORE,),
    (letters.CHORE,),
)
TICK = 1.0  # seconds
AFTER_ERROR = 60.0  # seconds at least until a chore that failed comes again
LONGEST = 52 * 1024  # bytes of the report's field `mail`: a report stays below 64 KiB


class Chores:
    """Runs chores beside the agent's loop; `canary_seconds` waits for a report that is heard."""

    def __init__(self, system: MailSystem, lanes: Sequence[Sequence[Chore]] = LANES) -> None:
        self.system, self.lanes = system, lanes
        self.said: dict[str, Any] = {}
        self.errors: dict[str, str] = {}
        self.canary_seconds: float | None = None

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for lane in self.lanes:
            threading.Thread(target=self._live, args=(lane,), daemon=True).start()

    def report(self) -> dict[str, Any] | None:
        """The report's field `mail`; None until an order had one."""
        base = self.system.report()
        if base is None:
            return None
        errors = {"errors": dict(self.errors)} if self.errors else {}
        return fitted({**base, **self.said, **errors})

    def heard(self, canary_seconds: float | None) -> None:
        """A report that said this was answered."""
        if self.canary_seconds == canary_seconds:
            self.canary_seconds = None

    def turn(self, lane: Sequence[Chore], due: dict[str, float]) -> None:
        """Run what is due of a lane, one after the other; `due` is kept between turns, by the monotonic clock."""
        for chore in lane:
            situation = self.system.situation
            if situation is None:
                return
            if chore.due.is_set() or time.monotonic() >= due.get(chore.name, 0.0):
                chore.due.clear()
                due[chore.name] = time.monotonic() + self._run(chore, situation)

    def _live(self, lane: Sequence[Chore]) -> None:
        due: dict[str, float] = {}
        while True:
            self.turn(lane, due)
            time.sleep(TICK)

    def _run(self, chore: Chore, situation: Situation) -> float:
        """Seconds until it comes again."""
        try:
            said = dict(chore.run(situation))
            seconds = said.pop("canary_seconds", None)
            self.canary_seconds = self.canary_seconds if seconds is None else seconds
            self.said = {**self.said, **said}
            self.errors = {name: why for name, why in self.errors.items() if name != chore.name}
            return chore.every(situation) if callable(chore.every) else chore.every
        except Exception as bug:
            why = f"unexpected {type(bug).__name__} {place(bug)}"
            if self.errors.get(chore.name) != why:
                say(f"{chore.name}: {why}")
            self.errors = {**self.errors, chore.name: why}
            return AFTER_ERROR


def fitted(mail: dict[str, Any], most: int = LONGEST) -> dict[str, Any]:
    """The same, with its longest lists cut until the whole takes at most so many bytes of JSON."""
    if len(json.dumps(mail)) <= most:
        return mail
    mail = copy.deepcopy(mail)
    while len(json.dumps(mail)) > most:
        whole, name = max(
            _long(mail), key=lambda found: len(json.dumps(found[0][found[1]])), default=({}, "")
        )
        if not whole:
            return {"generation": mail.get("generation", 0)}
        kept = len(whole[name]) // 2
        whole[name] = (
            dict(list(whole[name].items())[:kept]) if isinstance(whole[name], dict) else whole[name][:kept]
        )
    return mail


def _long(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """What may be cut: lists, and objects whose names are not the protocol's."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if (isinstance(inner, list) and inner) or (
            name in ("mailboxes", "dkim", "probes", "errors") and inner
        ):
            yield value, name
        elif isinstance(inner, dict):
            yield from _long(inner)
