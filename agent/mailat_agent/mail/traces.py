"""What is kept of a mailbox by its address, beside its mail: webmail's settings and address book, and counters of sending.

While somebody has the address their rows bear it; once they have not, the rows bear their id and nobody finds them.
"""

import base64
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from . import outbound, policy_state, roundcube

COUNTERS = ("sent", "refused", "stopped", "held")  # tables of policy_state with a column `mailbox`
PATIENCE = 60.0  # seconds
MOST = 2000  # mails looked into


def rename(home: Path, before: str, after: str) -> None:
    """What bears the one name bears the other from now on; repeating it changes nothing."""

    def webmail(rows: sqlite3.Connection) -> None:
        _end_sessions(rows, before)
        rows.execute("UPDATE OR REPLACE users SET username = ? WHERE username = ?", (after, before))

    def counters(rows: sqlite3.Connection) -> None:
        for table in COUNTERS:
            rows.execute(f"UPDATE OR REPLACE {table} SET mailbox = ? WHERE mailbox = ?", (after, before))

    _each(home, webmail, counters)


def forget(home: Path, name: str) -> None:
    """Nothing bears the name any more, nor can it be read from the files' free pages."""

    def webmail(rows: sqlite3.Connection) -> None:
        rows.execute(
            "DELETE FROM users WHERE username = ?", (name,)
        )  # all that is a user's goes with its row

    def counters(rows: sqlite3.Connection) -> None:
        for table in COUNTERS:
            rows.execute(f"DELETE FROM {table} WHERE mailbox = ?", (name,))

    _each(home, webmail, counters)


def _each(
    home: Path, webmail: Callable[[sqlite3.Connection], None], counters: Callable[[sqlite3.Connection], None]
) -> None:
    _change(home / roundcube.HOME / roundcube.DATABASE, webmail)
    _change(home / policy_state.FILE, counters)


def _change(path: Path, work: Callable[[sqlite3.Connection], None]) -> None:
    """In one transaction; where there is no such database there is nothing to change."""
    if path.is_symlink() or not path.is_file():
        return
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as rows:
        rows.execute("PRAGMA foreign_keys = ON")
        rows.execute("PRAGMA secure_delete = ON")
        with rows:
            rows.execute("BEGIN IMMEDIATE")
            work(rows)
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _end_sessions(rows: sqlite3.Connection, address: str) -> None:
    """Webmail's sessions outlive a password by as long as they are not asked for mail."""
    mark = f'username|s:{len(address.encode())}:"{address}"'.encode()
    for name, text in rows.execute("SELECT sess_id, vars FROM session").fetchall():
        if mark in _decoded(text):
            rows.execute("DELETE FROM session WHERE sess_id = ?", (name,))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return text.encode()


def clear_queue(address: str) -> None:
    """What the last owner of an address left in the queue never shows to the next, not even in a bounce.

    What they wrote is deleted; what waits for them goes back to its senders.
    """
    entries = [json.loads(line) for line in _said("postqueue", "-j").splitlines()][:MOST]
    _postsuper("-d", [each["queue_id"] for each in entries if _is_from(each, address)])
    _postsuper("-f", [each["queue_id"] for each in entries if _is_for(each, address)])


def _is_from(entry: dict[str, Any], address: str) -> bool:
    return address in (_plain(entry["sender"]), outbound.submitter(entry["queue_id"]))


def _is_for(entry: dict[str, Any], address: str) -> bool:
    return any(_plain(each["address"]) == address for each in entry["recipients"])


def _plain(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _postsuper(what: str, queue_ids: Iterable[str]) -> None:
    if names := "".join(f"{each}\n" for each in queue_ids):
        subprocess.run(
            ["postsuper", what, "-"], input=names, text=True, timeout=PATIENCE, capture_output=True
        )
