"""Debian hosts as long as their image can be made, processes when it cannot."""

from __future__ import annotations

import pathlib
import threading

from sandbox.hosts.base import About, Hosts, HostsUnavailable, Log
from sandbox.hosts.process import ProcessHosts


class FallbackHosts(Hosts):
    """Stands for the better kind until `prepare` shows whether it really works; read `kind` after that."""

    def __init__(self, better: Hosts, home: pathlib.Path, on_log: Log) -> None:
        self._hosts = better
        self._home, self._log = home, on_log
        self._preparing, self._prepared = threading.Lock(), False
        self._mirror()

    def prepare(self) -> None:
        with self._preparing:
            if self._prepared:
                return
            try:
                self._hosts.prepare()
            except HostsUnavailable as problem:
                self._fall_back(str(problem))
            self._prepared = True

    def _fall_back(self, problem: str) -> None:
        self._hosts.close()
        why = f"Debian hosts could not be prepared ({problem}), so every server is the agent alone, as a process"
        self._log(why)
        # Servers may already be ordered, or the control plane told its address, for hosts on the other network.
        moved = {self._hosts.address_of_control: ProcessHosts.address_of_control}
        self._hosts = ProcessHosts(self._home, self._log, why, moved)
        self._mirror()

    def _mirror(self) -> None:
        self.kind, self.why = self._hosts.kind, self._hosts.why
        self.address_of_control, self.network = self._hosts.address_of_control, self._hosts.network

    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str, image: int | None = None) -> None:
        self.prepare()
        self._hosts.boot(machine_id, name, ipv4, user_data, image)

    def stop(self, machine_id: int) -> None:
        self._hosts.stop(machine_id)

    def halt(self, machine_id: int) -> None:
        self._hosts.halt(machine_id)

    def shutdown(self, machine_id: int) -> None:
        self._hosts.shutdown(machine_id)

    def snapshot(self, machine_id: int, image: int, about: About) -> int:
        return self._hosts.snapshot(machine_id, image, about)

    def forget_image(self, image: int) -> None:
        self._hosts.forget_image(image)

    def remembered(self) -> dict[str, About]:
        return self._hosts.remembered()

    def adopt(self, key: str, image: int) -> bool:
        return self._hosts.adopt(key, image)

    def alive(self, machine_id: int) -> bool:
        return self._hosts.alive(machine_id)

    def console(self, machine_id: int) -> str:
        return self._hosts.console(machine_id)

    def forget_others(self, keep: set[int]) -> None:
        self._hosts.forget_others(keep)

    def _end_all(self) -> None:
        self._hosts.close()
