"""How fast one host may ask the gate, so that none keeps the others from their backups.

Counted in the memory of each process of the gate: with n of them a host has at most n times as much, and a flood costs no database.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

A_CALL = 5  # as much as so many objects
# A host that moves 400 MB a second in packs of 16 MiB asks for some 100 objects a second; the storage answers 750 requests a
# second for all hosts together (https://docs.hetzner.com/storage/object-storage/overview/).
A_SECOND = 300
AT_ONCE = 6000
MOST_KNOWN = 10_000  # hosts; those that have not asked for long are forgotten first


@dataclass
class Pace:
    """A bucket of tokens for each host, which fills by `a_second` up to `at_once`; `clock` in seconds, never set back."""

    a_second: float = A_SECOND
    at_once: float = AT_ONCE
    clock: Callable[[], float] = time.monotonic
    _left: dict[UUID, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, home: UUID, cost: float) -> float:
        """Seconds until it may ask for so much; 0 if it may now, and then it has."""
        with self._lock:
            now = self.clock()
            left, at = self._left.pop(home, (self.at_once, now))
            left = min(self.at_once, left + (now - at) * self.a_second)
            granted = cost <= left
            self._left[home] = (left - cost if granted else left, now)
            if len(self._left) > MOST_KNOWN:
                del self._left[next(iter(self._left))]
        return 0.0 if granted else (cost - left) / self.a_second


GATE = Pace()
