"""What is remembered of sending: how much each mailbox sent, which were stopped and why; one SQLite file."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .state import Mail

FILE = "policy.sqlite"  # in Host.home
DAY, HOUR = 86400.0, 3600.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (mailbox TEXT NOT NULL, at REAL NOT NULL, recipients INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sent_by ON sent (mailbox, at);
CREATE TABLE IF NOT EXISTS refused (mailbox TEXT NOT NULL, at REAL NOT NULL, recipients INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS refused_by ON refused (mailbox, at);
CREATE TABLE IF NOT EXISTS stopped (
    mailbox TEXT PRIMARY KEY, at REAL NOT NULL, why TEXT NOT NULL, releases INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held (queue_id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, at REAL NOT NULL);
"""


@dataclass(frozen=True)
class Stop:
    """A mailbox that may not send; it ends when an order counts more releases than the stop saw."""

    mailbox: str
    at: float
    why: str
    releases: int


@contextlib.contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    """The file, made if need be; what is done within is one transaction."""
    connection = sqlite3.connect(home / FILE, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection
    finally:
        connection.close()


def stopped(home: Path, mail: Mail) -> list[Stop]:
    """The stops in force; those that the order lifted, and those of mailboxes that are gone, are not among them."""
    if not (home / FILE).exists():
        return []
    releases = {box.address: box.releases for box in mail.mailboxes}
    with opened(home) as state:
        return [
            stop for stop in _stops(state) if releases.get(stop.mailbox, stop.releases + 1) <= stop.releases
        ]


def _stops(state: sqlite3.Connection) -> list[Stop]:
    rows = state.execute("SELECT mailbox, at, why, releases FROM stopped ORDER BY mailbox")
    return [Stop(*row) for row in rows]


def sent_in_a_day(home: Path, now: float) -> dict[str, int]:
    """Recipients to which each mailbox sent in the last 24 hours."""
    if not (home / FILE).exists():
        return {}
    with opened(home) as state:
        rows = state.execute(
            "SELECT mailbox, SUM(recipients) FROM sent WHERE at > ? GROUP BY mailbox", (now - DAY,)
        )
        return {str(mailbox): int(recipients) for mailbox, recipients in rows}


def limits(mail: Mail) -> str:
    """What the policy service must know of the order, as a file of the generation."""
    known = {
        box.address: {"per_hour": box.per_hour, "per_day": box.per_day, "releases": box.releases}
        for box in mail.mailboxes
    }
    return json.dumps(known, sort_keys=True, indent=1) + "\n"


def as_report(stops: list[Stop]) -> list[dict[str, object]]:
    """The stops as the report has them."""
    return [asdict(stop) for stop in stops]
