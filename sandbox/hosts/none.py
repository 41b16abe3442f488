"""No machines at all: for those who only need the answers of the API."""

from __future__ import annotations

from sandbox.hosts.base import Hosts


class NoHosts(Hosts):
    """Remembers which machines would run, so that the API can say so."""

    kind = "none"

    def __init__(self, why: str) -> None:
        self.why = why
        self._running: set[int] = set()

    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str, image: int | None = None) -> None:
        self._running.add(machine_id)

    def stop(self, machine_id: int) -> None:
        self._running.discard(machine_id)

    def halt(self, machine_id: int) -> None:
        self._running.discard(machine_id)

    def alive(self, machine_id: int) -> bool:
        return machine_id in self._running

    def console(self, machine_id: int) -> str:
        return "No machine was started, so there is no console."

    def forget_others(self, keep: set[int]) -> None:
        self._running &= keep

    def _end_all(self) -> None:
        self._running.clear()
