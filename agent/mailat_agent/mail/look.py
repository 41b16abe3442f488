"""A look around every minute: the doors, the queue, who is banned; and a daemon that ended is started again."""

import json
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ..log import say
from . import firewall, probes, units
from .chore import Chore, Situation
from .commands import Failed, run, without_secrets
from .flight import let_go
from .parts import PARTS
from .state import Mail

CALM, ALERT = 60.0, 10.0  # seconds between two looks
BANS = Path("/var/lib/fail2ban/fail2ban.sqlite3")
LATEST = 20  # bans
PATIENCE = 20.0  # seconds for the queue's listing
PAUSES = (0.0, 10.0, 20.0, 30.0)  # seconds between tries to start a unit


class Healer:
    """Starts units again that are not active, less and less often while that is in vain."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.tries: dict[str, int] = {}
        self.next: dict[str, float] = {}

    def heal(self) -> list[str]:
        """Start what is down and due; returns what is down, whether due or not."""
        down = units.down(self.names)
        self.tries = {name: tries for name, tries in self.tries.items() if name in down}
        for name in down:
            if self.tries.get(name, 0) == 0 or time.monotonic() >= self.next[name]:
                self._start(name)
        return down

    def _start(self, name: str) -> None:
        tries = self.tries[name] = self.tries.get(name, 0) + 1
        self.next[name] = time.monotonic() + PAUSES[min(tries, len(PAUSES) - 1)]
        try:
            units.start([name])
            say(f"{name} was not active and was started again")
        except Failed as failure:
            say(f"{name} is not active and cannot be started: {failure}")


class Look:
    """Remembers whether something was wrong, so that the next look comes sooner."""

    def __init__(self) -> None:
        self.wrong = False
        self.leaving = False  # mail is on its way out, and its sender may be watching
        self.healer = Healer(tuple(dict.fromkeys(unit for part in PARTS for unit in part.units)))

    def every(self, _situation: Situation) -> float:
        """Seconds until the next look."""
        return ALERT if self.wrong or self.leaving else CALM

    def run(self, situation: Situation) -> dict[str, Any]:
        """The report's `probes`, `probed_at`, `queue` and `bans`."""
        down = self._heal(situation)
        if down or self.wrong:
            probes.forget()
        said = probes.look(situation.host)
        was_wrong, self.wrong = self.wrong, bool(down) or any(said.values())
        if was_wrong and not self.wrong:
            let_go()
        waits = queue()
        self.leaving = is_leaving(situation.mail, waits)
        return {"probes": said, "probed_at": int(time.time()), "queue": waits, "bans": bans()}

    def _heal(self, situation: Situation) -> list[str]:
        if not situation.busy.acquire(blocking=False):
            return []  # a new generation is coming into force, which starts daemons itself
        try:
            down = self.healer.heal()
            firewall.mend()
            return down
        except Failed as failure:
            say(f"the host cannot be mended: {failure}")
            return []
        finally:
            situation.busy.release()


def is_leaving(mail: Mail, waits: dict[str, Any] | None) -> bool:
    """Whether something in the queue has a way out; without one it waits for its owner, and nothing changes soon."""
    return bool(mail.relay and waits and waits["active"] + waits["deferred"])


def queue() -> dict[str, Any] | None:
    """How many mails wait in Postfix' queues, since when, and what most of them wait for; None if it does not say."""
    try:
        lines = run(["postqueue", "-j"], PATIENCE).splitlines()
        mails = [json.loads(line) for line in lines]
    except (Failed, ValueError):
        return None
    counts = Counter(str(mail.get("queue_name")) for mail in mails)
    return {
        "active": counts["active"] + counts["incoming"] + counts["maildrop"],
        "deferred": counts["deferred"],
        "hold": counts["hold"],
        "oldest": _oldest(mails),
        "why": _commonest(mails),
    }


def _oldest(mails: list[dict[str, Any]]) -> int | None:
    arrived = [mail["arrival_time"] for mail in mails if isinstance(mail.get("arrival_time"), int)]
    return max(0, int(time.time()) - min(arrived)) if arrived else None


def _commonest(mails: list[dict[str, Any]]) -> str:
    waiting = [
        to for mail in mails if mail.get("queue_name") == "deferred" for to in mail.get("recipients", [])
    ]
    reasons = Counter(str(to["delay_reason"]) for to in waiting if to.get("delay_reason"))
    return without_secrets(reasons.most_common(1)[0][0]) if reasons else ""


def bans(database: Path = BANS) -> dict[str, Any] | None:
    """Whom fail2ban keeps out now, and whom it banned last, out of its own database; None if that cannot be read."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2.0) as books:
            now = books.execute(
                "SELECT count(*) FROM bips WHERE bantime < 0 OR timeofban + bantime > ?", (time.time(),)
            ).fetchone()[0]
            latest = books.execute(
                "SELECT ip, jail, timeofban, bantime FROM bans ORDER BY timeofban DESC LIMIT ?", (LATEST,)
            ).fetchall()
    except sqlite3.Error:
        return None
    return {"now": now, "latest": [_ban(*row) for row in latest]}


def _ban(address: str, jail: str, at: int, seconds: int) -> dict[str, Any]:
    """One that ends only by hand has no `until`."""
    return {"address": address, "jail": jail, "at": at, "until": at + seconds if seconds >= 0 else None}


LOOK = Look()
CHORE = Chore("look", LOOK.every, LOOK.run)
