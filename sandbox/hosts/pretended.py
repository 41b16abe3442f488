"""Runs a fetched agent on a server that is no host: the real agent, except that its mail system is only pretended.

Started by path as `python pretended.py AGENT.PYZ ARGUMENTS…`. It does nothing to this computer and reports what a host in good
order would: no mail flows. Why, is in docs/adr/0010.
"""

from __future__ import annotations

import importlib
import runpy
import sys
import time
from typing import Any

DOORS = ("smtp", "submission", "submissions", "imaps", "sieve", "https", "lmtp")
DAY = 86400.0


class Pretended:
    """What the newest order wants, reported as if it were so."""

    order: Any = None

    def take(self, order: Any, _system: Any) -> None:
        """In the place of the handlers that would change the host."""
        self.order = order

    def report(self) -> dict[str, Any] | None:
        """The report's field `mail`."""
        if self.order is None or self.order.mail is None:
            return None
        now, mail = time.time(), self.order.mail
        return {
            "generation": self.order.version,
            "taken_back": None,
            "probes": dict.fromkeys(DOORS, ""),
            "probed_at": now,
            "queue": {"active": 0, "deferred": 0, "hold": 0, "oldest": None, "why": ""},
            "bans": {"now": 0, "latest": []},
            "certificates": [_certificate(self.order.hostname, now)],
            "canary": _canary(now, "relay" if mail.relay else "direct"),
            "patches": _patches(now),
            "mailboxes": {mailbox.address: [0, 0, 0] for mailbox in mail.mailboxes},
            "stopped": [],
            "erased": [{"id": one, "at": now} for one in mail.erase],
            "letters": [_answered(one.id, now) for one in getattr(mail, "letters", ()) if mail.relay],
            "dkim": {},
        }


def _answered(letter: str, now: float) -> dict[str, Any]:
    """Nothing was sent; whoever waits for an answer gets one that says so."""
    return {"id": letter, "at": now, "code": 250, "answer": "250 Ok, but this server is only pretended"}


def _certificate(name: str, now: float) -> dict[str, Any]:
    known = {"name": name, "names": [name], "waiting": [], "error": ""}
    return {**known, "until": now + 90 * DAY, "issuer": "nobody: this server is only pretended"}


def _canary(now: float, way: str) -> dict[str, Any]:
    return {"at": now, "seconds": 1.0, "misses": 0, "way": way, "error": ""}


def _patches(now: float) -> dict[str, Any]:
    nothing: dict[str, Any] = {"pending": [], "applied": [], "taken_back": [], "after": None}
    return {**nothing, "checked_at": now, "reboot_needed": False, "booted_at": now}


def pretend() -> None:
    """Takes the place of the parts of the agent that would change the host; an agent without them is left as it is."""
    try:
        handlers = importlib.import_module("mailat_agent.apply").HANDLERS
        chores = importlib.import_module("mailat_agent.mail.chores").Chores
    except ImportError:
        return
    pretended = Pretended()
    handlers.update(dict.fromkeys(handlers, pretended.take))
    chores.report = pretended.report


def main() -> None:
    """Ends with the agent's own exit status."""
    agent = sys.argv.pop(1)
    sys.path.insert(0, agent)
    pretend()
    runpy.run_path(agent, run_name="__main__")


if __name__ == "__main__":
    main()
