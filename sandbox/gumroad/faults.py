"""What can be told to go wrong: with the pings, and with the API."""

from __future__ import annotations

import dataclasses
import sqlite3
from typing import Any

from sandbox.gumroad.errors import Wrong
from sandbox.gumroad.store import Store

KINDS = {
    "duplicate": "The next ping is sent twice",
    "delay": "The next ping comes so many seconds later",
    "drop": "The next ping is never sent",
    "reverse": "So many pings are held back, and then sent in reverse order",
    "shuffle": "So many pings are held back, and then sent in whatever order",
    "slow": "The API answers after so many seconds",
    "error_500": "The API answers 500",
    "success_false": "The API answers that there was no success",
    "drop_connection": "The API ends the connection instead of answering",
    "half": "The API ends the connection in the middle of its answer",
    "trickle": "The API sends its answer byte by byte, for so many seconds",
    "garbage": "The API answers 200 with a page instead of JSON",
    "rate_limit": "The API answers 429",
    "query_timeout": "The API gives a list up after its fifteen seconds, and answers 400",
    "not_yet": "The API does not know yet what it is asked for",
}
HOLDING = ("reverse", "shuffle")
MOST_SECONDS = 3600.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """`times` none means until cleared."""

    kind: str
    times: int | None = 1
    seconds: float = 5.0
    id: int = 0


def read(wish: dict[str, Any]) -> Fault:
    """Raises Wrong."""
    try:
        times = wish.get("times", 1)
        fault = Fault(
            str(wish.get("kind")), None if times is None else int(times), float(wish.get("seconds", 5))
        )
    except (TypeError, ValueError):
        raise Wrong("times must be a whole number or null, and seconds a number") from None
    if fault.kind not in KINDS:
        raise Wrong(f"kind must be one of {', '.join(KINDS)}")
    if (fault.times is not None and fault.times < 1) or not 0 <= fault.seconds <= MOST_SECONDS:
        raise Wrong("times must be at least 1, or null for always; seconds 0 to 3600")
    if fault.kind in HOLDING and (fault.times or 0) < 2:
        raise Wrong(f"{fault.kind} needs to know how many pings, at least 2")
    return fault


class Faults:
    """The faults that are set; each is used up as it happens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, fault: Fault) -> Fault:
        with self._store.writing() as db:
            row = db.execute(
                "insert into faults (kind, times, seconds) values (?, ?, ?)",
                [fault.kind, fault.times, fault.seconds],
            )
        return dataclasses.replace(fault, id=row.lastrowid or 0)

    def all(self) -> list[Fault]:
        with self._store.reading() as db:
            rows = db.execute("select kind, times, seconds, id from faults order by id").fetchall()
        return [Fault(**dict(row)) for row in rows]

    def take(self, kind: str) -> Fault | None:
        if not any(fault.kind == kind for fault in self.all()):
            return None
        with self._store.writing() as db:
            return take(db, kind)


def take(db: sqlite3.Connection, kind: str) -> Fault | None:
    """The fault that happens now, counted down; as it was before."""
    row = db.execute(
        "select kind, times, seconds, id from faults where kind = ? order by id limit 1", [kind]
    ).fetchone()
    if not row:
        return None
    db.execute("update faults set times = times - 1 where id = ?", [row["id"]])
    db.execute("delete from faults where id = ? and times = 0", [row["id"]])
    return Fault(**dict(row))
