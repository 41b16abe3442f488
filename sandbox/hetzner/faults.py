"""What can be told to go wrong, for which operation, and how many times."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import Any

from sandbox.hetzner.store import Store

KINDS = {
    "slow": "The answer, or with the operation boot or resize the machine, comes after so many seconds",
    "out_of_stock": "Machines of a type, at a place, or all of them cannot be ordered",
    "rate_limited": "Too many calls, says the answer",
    "locked": "Another action holds the thing, says the answer",
    "server_error": "An error on the vendor's side: 500, 502, 503 or 504",
    "lose_answer": "The call takes effect, but the connection ends without an answer",
    "fail_action": "The call is accepted, but its action fails; a machine being created vanishes",
}
ACTIONS = (
    "create_server", "delete_server", "change_dns_ptr", "create_image", "assign_primary_ip", "unassign_primary_ip",
    "change_type",
)  # fmt: skip
WORKS = {"boot": "create_server", "resize": "change_type"}  # what a machine does after the answer
STATUSES = (500, 502, 503, 504)
EVERY = "*"


class FaultError(ValueError):
    """The fault that was asked for cannot be; the text says why."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """`times` none means until cleared; `effect` says whether the call does its work before it goes wrong."""

    kind: str
    operation: str = EVERY
    times: int | None = 1
    seconds: float = 5.0
    server_type: str = ""
    location: str = ""
    status: int = 500
    effect: bool = False
    id: int = 0

    def fits(self, kind: str, operation: str, server_type: str, location: str) -> bool:
        return (
            self.kind == kind
            and self.operation in (operation, EVERY)
            and self.server_type in ("", server_type)
            and self.location in ("", location)
        )


def read(wish: dict[str, Any], operations: set[str]) -> Fault:
    """The fault that a request asks for; raises FaultError."""
    known = {field.name for field in dataclasses.fields(Fault)} - {"id"}
    if extra := sorted(set(wish) - known):
        raise FaultError(f"unknown: {', '.join(extra)}")
    if wish.get("kind") not in KINDS:
        raise FaultError(f"kind must be one of {', '.join(KINDS)}")
    fault = _typed({"effect": wish["kind"] == "lose_answer", **_defaults(wish["kind"]), **wish})
    _check(fault, operations)
    return fault


def _defaults(kind: str) -> dict[str, Any]:
    return {"operation": "create_server"} if kind in ("out_of_stock", "fail_action") else {}


def _typed(wish: dict[str, Any]) -> Fault:
    try:
        return Fault(
            kind=wish["kind"],
            operation=str(wish.get("operation") or EVERY),
            times=None if wish.get("times", 1) is None else int(wish.get("times", 1)),
            seconds=float(wish.get("seconds", 5)),
            server_type=str(wish.get("server_type") or ""),
            location=str(wish.get("location") or ""),
            status=int(wish.get("status", 500)),
            effect=wish["effect"] in (True, "true", "on"),
        )
    except (TypeError, ValueError) as problem:
        raise FaultError("times, seconds and status must be numbers") from problem


def _check(fault: Fault, operations: set[str]) -> None:
    if fault.operation not in operations | {EVERY, *WORKS}:
        raise FaultError(f"operation must be *, {', '.join(WORKS)} or one of {', '.join(sorted(operations))}")
    if fault.operation in WORKS and fault.kind != "slow":
        raise FaultError(
            f"{fault.operation} can only be slow; to make it fail, use fail_action on {WORKS[fault.operation]}"
        )
    if fault.kind == "fail_action" and fault.operation not in ACTIONS:
        raise FaultError(f"only {', '.join(ACTIONS)} have an action that can fail")
    if fault.kind == "out_of_stock" and fault.operation not in ("create_server", "change_type"):
        raise FaultError("only create_server and change_type can find nothing in stock")
    if fault.times is not None and fault.times < 1:
        raise FaultError("times must be at least 1, or null for always")
    if not 0 <= fault.seconds <= 3600 or fault.status not in STATUSES:
        raise FaultError("seconds must be 0 to 3600, and status 500, 502, 503 or 504")


class Faults:
    """The faults that are set, kept in the store; each is used up as it happens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, fault: Fault) -> Fault:
        with self._store.writing() as db:
            row = db.execute("insert into faults (fault) values (?)", [json.dumps(dataclasses.asdict(fault))])
        return dataclasses.replace(fault, id=row.lastrowid or 0)

    def all(self) -> list[Fault]:
        with self._store.reading() as db:
            return _all(db)

    def clear(self, fault_id: int | None = None) -> None:
        with self._store.writing() as db:
            db.execute("delete from faults where id = ifnull(?, id)", [fault_id])

    def pending(self, kind: str, operation: str, server_type: str = "", location: str = "") -> Fault | None:
        """The fault that would happen next, left as it is."""
        return _first(self.all(), kind, operation, server_type, location)

    def take(self, kind: str, operation: str, server_type: str = "", location: str = "") -> Fault | None:
        """The fault that happens now; counted down in one transaction, so that "once" is once for parallel calls too."""
        if not self.pending(kind, operation, server_type, location):
            return None
        with self._store.writing() as db:
            return take_with(db, kind, operation, server_type, location)


def take_with(
    db: sqlite3.Connection, kind: str, operation: str, server_type: str = "", location: str = ""
) -> Fault | None:
    """The same inside a transaction that is already open, so that a call that is refused uses up no fault."""
    fault = _first(_all(db), kind, operation, server_type, location)
    if fault and fault.times == 1:
        db.execute("delete from faults where id = ?", [fault.id])
    elif fault and fault.times:
        less = json.dumps(dataclasses.asdict(dataclasses.replace(fault, times=fault.times - 1)))
        db.execute("update faults set fault = ? where id = ?", [less, fault.id])
    return fault


def _all(db: sqlite3.Connection) -> list[Fault]:
    rows = db.execute("select id, fault from faults order by id").fetchall()
    return [dataclasses.replace(Fault(**json.loads(row["fault"])), id=row["id"]) for row in rows]


def _first(faults: list[Fault], kind: str, operation: str, server_type: str, location: str) -> Fault | None:
    return next((fault for fault in faults if fault.fits(kind, operation, server_type, location)), None)
