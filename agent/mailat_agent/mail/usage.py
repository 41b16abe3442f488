"""How full each mailbox is and how much it sent; what DNS must say of each domain's key."""

import subprocess
import time
from typing import Any

from . import dkim, policy_state
from .chore import Chore, Situation

PATIENCE = 120.0  # seconds
KIB = 1024


def run(situation: Situation) -> dict[str, Any]:
    """The report's `mailboxes` and `dkim`."""
    used, sent = _used(), policy_state.sent_in_a_day(situation.host.home, time.time())
    boxes = [box.address for box in situation.mail.mailboxes]
    return {
        "mailboxes": {box: [*used.get(box, (0, 0)), sent.get(box, 0)] for box in boxes},
        "dkim": dkim.records(situation.mail, situation.host),
    }


def _used() -> dict[str, tuple[int, int]]:
    """Bytes and messages of every mailbox that ever had mail, in one question to Dovecot."""
    command = ["doveadm", "-f", "tab", "quota", "get", "-A"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return read(done.stdout)


def read(table: str) -> dict[str, tuple[int, int]]:
    """What `doveadm quota get` printed: storage in KiB and messages, a line each."""
    found: dict[str, dict[str, int]] = {}
    for line in table.splitlines()[1:]:
        fields = line.split("\t")
        if len(fields) >= 4 and fields[3].isdigit():
            found.setdefault(fields[0], {})[fields[2]] = int(fields[3])
    return {user: (each.get("STORAGE", 0) * KIB, each.get("MESSAGE", 0)) for user, each in found.items()}


CHORE = Chore(name="usage", every=60.0, run=run)
