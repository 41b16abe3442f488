"""Debian hosts of one sandbox: their image, their network, their disks, and the processes that run them."""

from __future__ import annotations

import hashlib
import ipaddress
import pathlib
import shutil
import threading
import time

from sandbox.hosts.base import Hosts, HostsUnavailable, Log
from sandbox.hosts.debian import disk, groups, image
from sandbox.hosts.debian.lan import Lan
from sandbox.hosts.leashed import Leashed, tail

SCRIPT = pathlib.Path(__file__).with_name("machine.sh")
LONGEST_HOSTNAME = 63  # Linux takes 64
STARTED_WITHIN = 30  # seconds until process 1 of a host must be seen


class DebianHosts(Hosts):
    """Boots each server as a real Debian 13 host; needs root on Linux."""

    kind = "debian"

    def __init__(self, home: pathlib.Path, control_port: int, on_log: Log, why: str) -> None:
        self.why = why
        self._place, self._control_port, self._log = home.resolve() / "debian", control_port, on_log
        self._tag = hashlib.sha256(str(self._place).encode()).hexdigest()[:8]
        # Hosts live in a namespace of their own, so that two sandboxes with the same number still do not meet.
        self.network = ipaddress.IPv4Network(f"10.77.{int(self._tag, 16) % 254 + 1}.0/24")
        self.address_of_control = str(self.network[1])
        self._preparing = threading.Lock()
        self._image: pathlib.Path | None = None
        self._lan: Lan | None = None
        self._running: dict[int, Leashed] = {}

    def prepare(self) -> None:
        with self._preparing:
            if self._lan is None:
                self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._sweep()
                self._image = image.ensure(self._place.parent, self._log)
                self._lan = self._make_lan()

    def _sweep(self) -> None:
        """Ends what a killed sandbox of the same home may have left: all else ended with it."""
        for group in groups.found(f"mailat-{self._tag}-"):
            groups.end(group)

    def _make_lan(self) -> Lan:
        try:
            return Lan(self.network, self._control_port, self._place)
        except (OSError, ValueError) as problem:
            raise HostsUnavailable(f"their network could not be made: {problem}") from problem

    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str) -> None:
        self.prepare()
        if self.alive(machine_id):
            return
        folder = self._folder(machine_id)
        disk.lay_out(folder, self.address_of_control, name, ipv4, user_data)
        machine = Leashed(self._command(machine_id, name, ipv4), folder / "console.log")
        self._running[machine_id] = machine
        self._wait_started(machine_id, machine)

    def _command(self, machine_id: int, name: str, ipv4: str) -> list[str]:
        if self._lan is None or self._image is None:
            raise HostsUnavailable("the hosts were closed")
        places = ["sh", str(SCRIPT), str(self._folder(machine_id)), str(self._image)]
        hostname = name[:LONGEST_HOSTNAME].rstrip(".-")
        network = [hostname, ipv4, self._lan.gateway, self._lan.path, f"m{machine_id}"]
        own_namespaces = ["unshare", "--mount", "--net", "--propagation", "private"]
        return [*own_namespaces, *places, *network, self._group(machine_id)]

    def _wait_started(self, machine_id: int, machine: Leashed) -> None:
        """A host has started when systemd inside has made its first group."""
        payload = (
            (groups.root() or pathlib.Path("/nowhere")) / self._group(machine_id) / "payload" / "init.scope"
        )
        deadline = time.monotonic() + STARTED_WITHIN
        while not payload.is_dir():
            if not machine.running() or time.monotonic() > deadline:
                self.halt(machine_id)
                raise HostsUnavailable(f"the host did not start: {self.console(machine_id)[-300:]}")
            time.sleep(0.05)

    def stop(self, machine_id: int) -> None:
        self.halt(machine_id)
        shutil.rmtree(self._folder(machine_id), ignore_errors=True)

    def halt(self, machine_id: int) -> None:
        machine = self._running.pop(machine_id, None)
        groups.end(
            f"{self._group(machine_id)}/payload"
        )  # then systemd-nspawn and its parents leave in good order
        if machine:
            machine.end()
        groups.end(self._group(machine_id))

    def alive(self, machine_id: int) -> bool:
        machine = self._running.get(machine_id)
        return machine is not None and machine.running()

    def console(self, machine_id: int) -> str:
        return tail(self._folder(machine_id) / "console.log")

    def forget_others(self, keep: set[int]) -> None:
        for folder in self._place.glob("machine-*"):
            machine_id = int(folder.name.partition("-")[2])
            if machine_id not in keep:
                self.stop(machine_id)

    def _end_all(self) -> None:
        for machine_id in list(self._running):
            self.halt(machine_id)
        if not self._preparing.acquire(timeout=1):
            return  # an image is being made, which ends with this process; there is no network yet
        if self._lan:
            self._lan.close()
        self._lan = None
        self._preparing.release()

    def _folder(self, machine_id: int) -> pathlib.Path:
        return self._place / f"machine-{machine_id}"

    def _group(self, machine_id: int) -> str:
        return f"mailat-{self._tag}-{machine_id}"
