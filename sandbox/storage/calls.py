"""What was asked of the storage since it started: the latest calls, and sums of all."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import threading

KEPT = 1000


@dataclasses.dataclass
class Call:
    """One request; `by` is "url" for a presigned one, "header", or empty where it was signed by nobody we know."""

    operation: str
    key: str
    by: str = ""
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    at: str = ""
    number: int = 0


class Calls:
    """Kept in memory only."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._open = 0
        self._kept: collections.deque[Call] = collections.deque(maxlen=KEPT)
        self._sums: collections.Counter[str] = collections.Counter()

    def begin(self) -> None:
        with self._lock:
            self._open += 1

    def add(self, call: Call) -> None:
        """One that began is done."""
        with self._lock:
            self._open -= 1
            self._lock.notify_all()
            self._sums["calls"] += 1
            self._sums[call.operation] += 1
            self._sums["bytes_in"] += call.bytes_in
            self._sums["bytes_out"] += call.bytes_out
            call.number, call.at = self._sums["calls"], datetime.datetime.now(datetime.UTC).isoformat()
            self._kept.append(call)

    def rest(self, seconds: float = 20) -> Calls:
        """Waits until all that began are counted: a client has its answer a moment before.

        Raises:
            TimeoutError: one took longer.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: not self._open, seconds):
                raise TimeoutError
        return self

    def since(self, number: int = 0, most: int = KEPT) -> list[Call]:
        """The latest, oldest first, of those behind that number."""
        with self._lock:
            return [one for one in self._kept if one.number > number][-most:]

    def sums(self) -> dict[str, int]:
        with self._lock:
            return dict(self._sums)
