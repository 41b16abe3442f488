"""The patch clock: which fixes wait, since when, and how long it took; what broke mail is taken back."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..log import say
from . import daemons, kept, packages, proof, reboot, trial
from .canary import CHORE as CANARY
from .chore import Chore, Situation
from .ledger import TESTING, Ledger, Trial
from .packages import Known, Package
from .updates import LISTS_UPDATED, UPDATED

EVERY = 10.0  # seconds between cheap looks
CALM = 120.0  # seconds of the agent's life left to mail itself, unless a canary came back before
AGAIN = 3600.0  # seconds after which everything is looked at even if nothing seems to have changed
WELL_EVERY = 120.0  # seconds between two notes of what works, to which an update is compared
OVERDUE = 86400.0  # seconds that a security fix may wait before a run is started
OLD_LISTS = 36 * 3600.0  # seconds; twice a day is what the timers do
FETCH, UPGRADE = "apt-daily.service", "apt-daily-upgrade.service"
KICKED = {FETCH: 3600.0, UPGRADE: 6 * 3600.0}  # at most so often, in seconds
MOST_PENDING, MOST_APPLIED, MOST_TAKEN_BACK = 50, 20, 20


class Clock:
    """Looks often and cheaply, and closely where something changed; what matters is in the ledger."""

    def __init__(self, probe: proof.Probe = proof.probe, now: Callable[[], float] = time.time) -> None:
        self.probe, self.now = probe, now
        self.born = time.monotonic()
        self.signs: tuple[float, ...] = ()
        self.looked = self.noted = float("-inf")  # by the monotonic clock

    def run(self, situation: Situation) -> dict[str, Any]:
        """One look; the report says what is known, or why it is not."""
        home = situation.host.home
        ledger = Ledger.read(home)
        try:
            if not packages.busy() and (_is_urgent(ledger) or self._is_calm(situation)):
                self._look(situation, ledger)
        except packages.Unknown as trouble:
            say(f"patches: {trouble}")
        return {"patches": report(ledger, home)}

    def _is_calm(self, situation: Situation) -> bool:
        return proof.canary_is_well(situation) or time.monotonic() - self.born > CALM

    def _look(self, situation: Situation, ledger: Ledger) -> None:
        home = situation.host.home
        if self._seems_changed(home):
            signs = _signs(home)  # before the look: what changes meanwhile is looked at again
            self._look_closely(situation, ledger)
            self.signs, self.looked = signs, time.monotonic()
        if time.monotonic() - self.noted > WELL_EVERY:
            self._note_what_works(situation, ledger)
        kick_what_is_late(ledger, home, self.now())
        ledger.write(home)
        daemons.renew_the_agent()
        reboot.consider(ledger, situation.mail.reboot, home, self.now())

    def _note_what_works(self, situation: Situation, ledger: Ledger) -> None:
        fine = proof.fine_now(situation, self.probe)
        if packages.busy() or self._seems_changed(situation.host.home):
            return  # an update began meanwhile: this is no picture of the time before it
        ledger.well |= dict.fromkeys(fine, self.now())
        self.noted = time.monotonic()

    def _seems_changed(self, home: Path) -> bool:
        return _signs(home) != self.signs or time.monotonic() - self.looked > AGAIN

    def _look_closely(self, situation: Situation, ledger: Ledger) -> None:
        self._try_update(situation, ledger)
        self._try_reboot(situation, ledger)
        _note_pending(ledger, packages.known(), self.now())
        if trial.release(ledger):
            ledger.kicked.pop(UPGRADE, None)
            kick(ledger, UPGRADE, self.now())
        there = packages.installed()
        if not ledger.known or _versions(there) == ledger.known:  # else an update goes on just now
            kept.keep(situation.host.home, there)
            ledger.known = _versions(there)

    def _try_update(self, situation: Situation, ledger: Ledger) -> None:
        home = situation.host.home
        _begin_trial(ledger, packages.installed(), self._expected(situation, ledger), self.now())
        if ledger.trial:
            ledger.write(home)
            trial.examine(situation, ledger, ledger.trial, self.probe)
            ledger.known = _versions(packages.installed())
            ledger.write(home)
            CANARY.knock()

    def _expected(self, situation: Situation, ledger: Ledger) -> Callable[[], list[str]]:
        """What should work: what did, or everything on a host that nobody has looked at yet."""
        return lambda: ledger.fine() or [*self.probe(situation), proof.CANARY]

    def _try_reboot(self, situation: Situation, ledger: Ledger) -> None:
        if not reboot.came_back(ledger):
            return
        why = proof.Verdict(situation, self.probe, ledger.fine()).why_not()
        ledger.after = {"at": self.now(), "ok": not why, "why": f"after a reboot: {why}" if why else ""}
        ledger.boot = ""
        ledger.write(situation.host.home)
        CANARY.knock()


def _is_urgent(ledger: Ledger) -> bool:
    """Whether something runs that nobody has found good yet."""
    return bool(ledger.trial or (ledger.known and _versions(packages.installed()) != ledger.known))


def _begin_trial(
    ledger: Ledger, there: dict[str, Package], expected: Callable[[], list[str]], now: float
) -> None:
    """Put every version that is not known to be good under test; one that is being taken back is under test already."""
    if ledger.trial and ledger.trial.stage != TESTING:
        return
    changed = {
        name: each for name, each in there.items() if ledger.known.get(name, each.version) != each.version
    }
    under_test = ledger.trial.after if ledger.trial else {}
    if fresh := [each for name, each in changed.items() if under_test.get(name) != each.version]:
        _note_applied(ledger, fresh, now)
    if changed:
        before = {name: ledger.known[name] for name in changed}
        ledger.trial = Trial(now, before, _versions(changed), expected())


def _versions(there: dict[str, Package]) -> dict[str, str]:
    return {name: package.version for name, package in there.items()}


def _signs(home: Path) -> tuple[float, ...]:
    return packages.signs(home / UPDATED, home / LISTS_UPDATED)


def _note_pending(ledger: Ledger, facts: list[Known], now: float) -> None:
    """Remember since when each fix is there: the archive's date when it was first seen here, or now if that lies."""
    pending = [fact for fact in facts if fact.candidate]
    for fact in pending:
        first = min(fact.released or now, now)
        ledger.published.setdefault(f"{fact.package} {fact.candidate}", first)
    waiting = {f"{fact.package} {fact.candidate}" for fact in pending}
    ledger.published = {name: at for name, at in ledger.published.items() if name in waiting}
    ledger.pending = [_as_pending(ledger, fact) for fact in pending]
    ledger.pending.sort(key=lambda fix: (not fix["security"], fix["published_at"]))


def _as_pending(ledger: Ledger, fact: Known) -> dict[str, Any]:
    return {
        "package": fact.package,
        "from": fact.installed,
        "to": fact.candidate,
        "security": fact.security,
        "published_at": ledger.published[f"{fact.package} {fact.candidate}"],
        "held": fact.held,
    }


def _note_applied(ledger: Ledger, changed: list[Package], now: float) -> None:
    facts: dict[str, Known] = {}
    with contextlib.suppress(packages.Unknown):  # whatever apt says, an update is looked after
        facts = {fact.package: fact for fact in packages.known(package.name for package in changed)}
    for package in changed:
        fact, at = facts.get(package.name), min(packages.applied_at(package.name, package.arch), now)
        # One that was fetched and installed in one go was never seen waiting: then the archive's date is the nearest.
        released = (
            fact.released if fact and fact.installed == package.version and not fact.candidate else None
        )
        ledger.applied.append(
            {
                "package": package.name,
                "from": ledger.known[package.name],
                "to": package.version,
                "security": bool(fact and fact.security),
                "published_at": ledger.published.get(
                    f"{package.name} {package.version}", min(released or at, at)
                ),
                "applied_at": at,
            }
        )
    ledger.applied.sort(key=lambda fix: fix["applied_at"])
    ledger.applied = ledger.applied[-MOST_APPLIED:]


def kick_what_is_late(ledger: Ledger, home: Path, now: float) -> None:
    """Do by hand what a timer should have done: new lists, and a security fix that waits for more than a day."""
    if now - _mtime(home / LISTS_UPDATED) > OLD_LISTS:
        kick(ledger, FETCH, now)
    if any(
        fix["security"] and not fix["held"] and now - fix["published_at"] > OVERDUE for fix in ledger.pending
    ):
        kick(ledger, UPGRADE, now)


def kick(ledger: Ledger, unit: str, now: float) -> None:
    """Start one of apt's units unless that was done lately."""
    if 0 <= now - ledger.kicked.get(unit, 0.0) < KICKED[unit]:
        return
    ledger.kicked[unit] = now
    say(f"starting {unit}")
    command = ["systemctl", "start", "--no-block", unit]
    subprocess.run(command, capture_output=True, timeout=60, check=False)


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def report(ledger: Ledger, home: Path) -> dict[str, Any]:
    """The report's field `patches`."""
    return {
        "checked_at": _mtime(home / LISTS_UPDATED),
        "pending": ledger.pending[:MOST_PENDING],
        "applied": ledger.applied[::-1],
        "reboot_needed": reboot.needed(),
        "booted_at": reboot.booted_at(),
        "taken_back": ledger.taken_back[-MOST_TAKEN_BACK:],
        "after": ledger.after,
    }


CHORE = Chore("patches", EVERY, Clock().run)
