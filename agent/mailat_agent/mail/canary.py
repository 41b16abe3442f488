"""The canary: every few minutes a mail goes out and comes back, since ports that answer prove nothing."""

import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..files import write_whole
from .chore import Chore, Situation
from .flight import Failed, Landed, Way, fly, let_go, sweep
from .mx import leads_to
from .part import Host
from .state import Mail

SECRET, STATE = "canary.secret", "canary.json"
SOON = 10.0  # seconds to the next try until one succeeded
EAGER = 6  # tries at that pace; then each wait is twice the one before
APART = 60.0  # seconds between failures that count as two misses: a daemon that restarts is one
REMEMBERED = 50  # missing mails that are still recognised when they come late
HIDDEN = "mailat-canary"  # the local part at each domain that leads to the hidden mailbox
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_making = threading.Lock()
_flying = threading.Lock()  # one at a time: after an update another thread lets one fly, beside the chore


def password(home: Path) -> str:
    """The hidden mailbox' password: made on this host at first need, 0600, and the same ever after."""
    path = home / SECRET
    with _making:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()


@dataclass
class Log:
    """What is known of earlier flights; outlives the agent. `counted` is when the latest miss was counted."""

    at: float = 0.0
    seconds: float | None = None
    misses: int = 0
    late: int = 0
    way: str = ""
    error: str = ""
    tries: int = 0
    counted: float = 0.0
    boot: str = ""
    missing: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, home: Path) -> "Log":
        try:
            kept = json.loads((home / STATE).read_text(encoding="utf-8"))
            return cls(**{each.name: kept[each.name] for each in fields(cls) if each.name in kept})
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, home: Path) -> None:
        write_whole(home / STATE, json.dumps(asdict(self)))

    def well(self) -> bool:
        """Whether the latest mail came back, since this boot."""
        return self.misses == 0 and not self.error and self.boot == boot_id()

    def report(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("at", "seconds", "misses", "late", "way", "error")}


def every(situation: Situation) -> float:
    """Seconds between two canaries: few until one came back, then what the order says; never a flood."""
    log = Log.read(situation.host.home)
    if log.well():
        return float(situation.mail.canary_every)
    doublings = min(max(0, log.tries - EAGER), 20)
    return min(float(situation.mail.canary_every), SOON * 2**doublings)


def run(situation: Situation) -> dict[str, Any]:
    """Let one mail fly and say how it went."""
    with _flying:
        return _run(situation)


def _run(situation: Situation) -> dict[str, Any]:
    home, way, token = situation.host.home, choose_way(situation.mail, situation.host), secrets.token_hex(16)
    log = Log.read(home)
    log.missing = [*log.missing, token][-REMEMBERED:]
    log.write(home)  # before it leaves: killed now, it is still known as ours when it comes
    try:
        landed = fly(situation.host, way, token, push=not log.well())
    except Failed as failure:
        _missed(log, way, failure)
        log.write(home)
        sweep(way, time.time())
        return {"canary": log.report(), "canary_seconds": None}
    missed = log.misses
    _came(log, way, token, landed)
    log.write(home)
    if missed:
        let_go()
    return {"canary": log.report(), "canary_seconds": log.seconds}


def _came(log: Log, way: Way, token: str, landed: Landed) -> None:
    log.missing.remove(token)
    _count_late(log, landed.late)
    log.at, log.seconds, log.way, log.error = time.time(), round(landed.seconds, 3), way.name, ""
    log.misses = log.tries = 0
    log.counted, log.boot = 0.0, boot_id()


def _missed(log: Log, way: Way, failure: Failed) -> None:
    now = time.time()
    _count_late(log, failure.late)
    log.at, log.seconds, log.way, log.error = now, None, way.name, str(failure)
    log.tries += 1
    if not log.misses or not 0 <= now - log.counted < APART:  # a clock that was set back does not stop it
        log.misses += 1
        log.counted = now


def _count_late(log: Log, late: frozenset[str]) -> None:
    # What came after its time is no success: somebody waited for it.
    log.late += len(late.intersection(log.missing))
    log.missing = [token for token in log.missing if token not in late]


def choose_way(mail: Mail, host: Host) -> Way:
    """Out by the customer's relay where there is one, in its sender's name, since SES takes no other."""
    if mail.relay is None:
        return Way("direct", host.canary_address, host.canary_address)
    domain = mail.relay.sender.rpartition("@")[2]
    ours = domain in {each.name for each in mail.domains}
    there = ours and leads_to(domain, host.hostname, host.addresses)
    return Way("relay", mail.relay.sender, f"{HIDDEN}@{domain}" if there else host.canary_address)


def boot_id() -> str:
    """The kernel's name for this boot; empty where it has none."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


CHORE = Chore("canary", every, run)
