"""Who knocks at a door with a wrong word again and again gets no more than a short answer and no more lines in the log.

Only wrong words are counted, after the door itself judged them: whoever knows the right one is never held up. It is kept in
the process, because a count in the database would cost us more than a guess costs the guesser.
"""

import threading
import time
from ipaddress import ip_address, ip_network

MOST = 30  # wrong words of one network in one window
WINDOW = 60.0  # seconds
NETWORKS = 10_000  # remembered at most
IPV6_PREFIX = 64  # what one customer of a provider has


class Guesses:
    """Counts wrong words of each network; what it remembers is bounded."""

    def __init__(self, *, most: int = MOST, window: float = WINDOW, networks: int = NETWORKS) -> None:
        self.most, self.window, self.networks = most, window, networks
        self._counts: dict[str, int] = {}
        self._since = time.monotonic()
        self._lock = threading.Lock()

    def wrong(self, address: str) -> int:
        """How many this makes for the network, of those in this window."""
        name = network(address)
        with self._lock:
            self._forget()
            count = self._counts.pop(name, 0) + 1
            self._counts[name] = count
            if len(self._counts) > self.networks:
                del self._counts[next(iter(self._counts))]
            return count

    def _forget(self) -> None:
        now = time.monotonic()
        if now - self._since >= self.window:
            self._counts.clear()
            self._since = now

    def __len__(self) -> int:
        return len(self._counts)


def network(address: str) -> str:
    """The address, or the network of an IPv6 one."""
    one = ip_address(address)
    return str(ip_network((one, IPV6_PREFIX), strict=False) if one.version == 6 else one)
