"""How the storage behaves: what it checks, and what shall go wrong; kept in a file, so that a restart changes nothing."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import threading
from typing import Any

from sandbox.internet.files import write_whole

CHECKS = {
    "hash": "A body is compared with the hash that x-amz-content-sha256 says, and refused where it is another",
    "headers": "A request with an x-amz- header that is not signed is refused",
    "many": "DeleteObjects is answered; else it is refused, as by storages that want another checksum with it",
}
KINDS = {
    "slow": "Every answer comes so many seconds later",
    "drip": "Bodies come and go at so many KiB a second",
    "slow_down": "503 SlowDown, says the answer: too many requests",
    "server_error": "500 InternalError, says the answer",
    "refuse": "403 AccessDenied, says the answer, whoever signed",
    "away": "The connection ends without an answer, and nothing is done",
    "cut": "The connection ends in the middle of the body, coming or going",
    "lose_answer": "The request takes effect, but the connection ends without an answer",
}
OPERATIONS = ("get", "put", "head", "delete", "list", "other")
EVERY = "*"
MOST_SECONDS = 3600.0
MOST_FAULTS = 100


class WishError(ValueError):
    """What was asked for cannot be; the text says why."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """`times` none means until cleared; `key` is a part of the object's key; `number` is seconds or KiB a second."""

    kind: str
    operation: str = EVERY
    key: str = ""
    times: int | None = 1
    number: float = 5.0
    id: int = 0

    def fits(self, operation: str, key: str) -> bool:
        return self.operation in (EVERY, operation) and self.key in key


def read_fault(wish: dict[str, Any]) -> Fault:
    """The fault that a request asks for; raises WishError."""
    known = {field.name for field in dataclasses.fields(Fault)} - {"id"}
    if extra := sorted(set(wish) - known):
        raise WishError(f"unknown: {', '.join(extra)}")
    times = wish.get("times", 1)
    try:
        fault = Fault(
            kind=str(wish.get("kind")),
            operation=str(wish.get("operation") or EVERY),
            key=str(wish.get("key") or ""),
            times=None if times in (None, "", "always") else int(times),
            number=float(wish.get("number") or 5.0),
        )
    except (TypeError, ValueError):
        raise WishError("times and number must be numbers") from None
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    if fault.kind not in KINDS:
        raise WishError(f"kind must be one of {', '.join(KINDS)}")
    if fault.operation not in (*OPERATIONS, EVERY):
        raise WishError(f"operation must be * or one of {', '.join(OPERATIONS)}")
    if fault.times is not None and fault.times < 1:
        raise WishError("times must be at least 1, or empty for always")
    if not 0 < fault.number <= MOST_SECONDS:
        raise WishError(f"number must be more than 0 and at most {MOST_SECONDS:.0f}")


class State:
    """Faults and checks; each fault is used up as it happens."""

    def __init__(self, home: pathlib.Path) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file, self._lock = home / "state.json", threading.Lock()
        have = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._checks = {name: bool(have.get("checks", {}).get(name, True)) for name in CHECKS}
        self._faults = [Fault(**row) for row in have.get("faults", [])]

    def _keep(self) -> None:
        kept = {"checks": self._checks, "faults": [dataclasses.asdict(one) for one in self._faults]}
        write_whole(self._file, json.dumps(kept).encode())

    def checks(self, name: str) -> bool:
        return self._checks[name]

    def all_checks(self) -> dict[str, bool]:
        return dict(self._checks)

    def switch(self, name: str, on: bool) -> None:
        if name not in CHECKS:
            raise WishError(f"what is checked is one of {', '.join(CHECKS)}")
        with self._lock:
            self._checks[name] = on
            self._keep()

    def faults(self) -> list[Fault]:
        return list(self._faults)

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            if len(self._faults) >= MOST_FAULTS:
                raise WishError("so many faults are set that one more helps nobody")
            made = dataclasses.replace(fault, id=max([one.id for one in self._faults], default=0) + 1)
            self._faults.append(made)
            self._keep()
        return made

    def clear(self, fault_id: int | None = None) -> None:
        with self._lock:
            self._faults = [one for one in self._faults if fault_id not in (None, one.id)]
            self._keep()

    def take(self, operation: str, key: str) -> dict[str, Fault]:
        """The faults that happen to this request, at most one of a kind, counted down together."""
        if not self._faults:
            return {}
        with self._lock:
            found: dict[str, Fault] = {}
            for one in self._faults:
                if one.fits(operation, key):
                    found.setdefault(one.kind, one)
            if any(one.times for one in found.values()):
                self._faults = [kept for one in self._faults if (kept := _used(one, found))]
                self._keep()
        return found


def _used(one: Fault, found: dict[str, Fault]) -> Fault | None:
    if found.get(one.kind) is not one or one.times is None:
        return one
    return dataclasses.replace(one, times=one.times - 1) if one.times > 1 else None
