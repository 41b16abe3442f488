"""The queue of what leaves: sent at once when a way out arrives, held when its mailbox is stopped.

`python3 -m mailat_agent.mail.outbound` is run after Postfix took a new configuration.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from ..files import write_whole
from . import policy_state
from .part import CURRENT, HOME
from .policy_state import Stop
from .state import Mail

MOST = 2000  # mails looked into at a time
FLUSHED = "relay-in-use"  # in Host.home: a digest of the way out for which the queue was last tried
PATIENCE = 60.0  # seconds


def hold(home: Path, mail: Mail, stops: list[Stop]) -> None:
    """Mail of stopped mailboxes waits; that of released ones goes back to them, not out, as nobody looked at it."""
    for stop in stops:
        found = [each for each in _waiting(mail, stop.mailbox) if submitter(each) == stop.mailbox]
        _postsuper("-h", found)
        _remember(home, stop.mailbox, found)
    _return(home, {stop.mailbox for stop in stops})


def _waiting(mail: Mail, mailbox: str) -> list[str]:
    """Queue names of mail whose sender may be the mailbox."""
    own = {mailbox, *(alias.address for alias in mail.aliases)}
    entries = (json.loads(line) for line in _said("postqueue", "-j").splitlines())
    found = [
        each["queue_id"] for each in entries if each["queue_name"] != "hold" and _plain(each["sender"]) in own
    ]
    return found[:MOST]


def _plain(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def submitter(queue_id: str) -> str:
    """Who signed in to hand in a waiting mail; "" for nobody."""
    for line in _said("postcat", "-qe", queue_id).splitlines():
        if line.startswith("named_attribute: sasl_username="):
            return line.partition("=")[2].strip().lower()
    return ""


def _remember(home: Path, mailbox: str, queue_ids: Iterable[str]) -> None:
    rows = [(queue_id, mailbox, time.time()) for queue_id in queue_ids]
    if rows:
        with policy_state.opened(home) as state:
            state.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", rows)


def _return(home: Path, stopped: set[str]) -> None:
    if not (home / policy_state.FILE).exists():
        return
    with policy_state.opened(home) as state:
        rows = state.execute("SELECT queue_id, mailbox FROM held").fetchall()
    free = [queue_id for queue_id, mailbox in rows if mailbox not in stopped]
    if not free:
        return
    _postsuper("-f", free)  # expire: each goes back to its sender as undeliverable
    with policy_state.opened(home) as state:
        state.executemany("DELETE FROM held WHERE queue_id = ?", [(each,) for each in free])


def _postsuper(what: str, queue_ids: list[str]) -> None:
    if queue_ids:
        names = "".join(f"{each}\n" for each in queue_ids)
        subprocess.run(
            ["postsuper", what, "-"], input=names, text=True, timeout=PATIENCE, capture_output=True
        )


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    return done.stdout if done.returncode == 0 else ""


def flush_for_a_new_relay(home: Path = HOME, current: Path = Path(CURRENT)) -> None:
    """Try the queue at once if the way out is another than the last time."""
    password = current / "postfix" / "relay_password"
    now = hashlib.sha256(password.read_bytes()).hexdigest() if password.exists() else ""
    before = (home / FLUSHED).read_text() if (home / FLUSHED).exists() else ""
    if now and now != before:
        subprocess.run(["postqueue", "-f"], timeout=PATIENCE, capture_output=True)
    write_whole(home / FLUSHED, now)


if __name__ == "__main__":
    flush_for_a_new_relay()
