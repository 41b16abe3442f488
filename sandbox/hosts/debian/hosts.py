"""Debian hosts of one sandbox: their image, their network, their disks, and the processes that run them."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import pathlib
import shutil
import signal
import threading
import time

from sandbox.hosts.base import About, Hosts, HostsUnavailable, Log
from sandbox.hosts.debian import disk, groups
from sandbox.hosts.debian import image as plain
from sandbox.hosts.debian.images import Images, Memory
from sandbox.hosts.debian.lan import Lan
from sandbox.hosts.leashed import Leashed, tail

SCRIPT = pathlib.Path(__file__).with_name("machine.sh")
LONGEST_HOSTNAME = 63  # Linux takes 64
POWER_OFF = getattr(signal, "SIGRTMIN", 34) + 4  # what systemd as process 1 takes for a press of the button
STARTED_WITHIN = 30  # seconds until process 1 of a host must be seen


class DebianHosts(Hosts):
    """Boots each server as a real Debian 13 host; needs root on Linux."""

    kind = "debian"

    def __init__(
        self, home: pathlib.Path, control_port: int, on_log: Log, why: str, more_ports: tuple[int, ...] = ()
    ) -> None:
        """`control_port` and `more_ports` of this computer's loopback are reached by hosts at `address_of_control`."""
        self.why = why
        self._place, self._control_port, self._log = home.resolve() / "debian", control_port, on_log
        self._more_ports = more_ports
        self._tag = hashlib.sha256(str(self._place).encode()).hexdigest()[:8]
        # Hosts live in a namespace of their own, so that two sandboxes with the same number still do not meet.
        self.network = ipaddress.IPv4Network(f"10.77.{int(self._tag, 16) % 254 + 1}.0/24")
        self.address_of_control = str(self.network[1])
        self._preparing = threading.Lock()
        self._image: pathlib.Path | None = None
        self._images = Images(self._place / "images")
        self._lan: Lan | None = None
        self._running: dict[int, Leashed] = {}

    def prepare(self) -> None:
        with self._preparing:
            if self._lan is None:
                self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._sweep()
                self._image = plain.ensure(self._place.parent, self._log)
                self._lan = self._make_lan()

    def _sweep(self) -> None:
        """Ends what a killed sandbox of the same home may have left: all else ended with it."""
        for group in groups.found(f"mailat-{self._tag}-"):
            groups.end(group)

    def _make_lan(self) -> Lan:
        try:
            return Lan(self.network, self._control_port, self._place, self._more_ports)
        except (OSError, ValueError) as problem:
            raise HostsUnavailable(f"their network could not be made: {problem}") from problem

    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str, image: int | None = None) -> None:
        self.prepare()
        if self.alive(machine_id):
            return
        folder = self._folder(machine_id)
        self._note_image(folder, image)
        layers = self._layers(folder)
        disk.lay_out(folder, self.address_of_control, name, ipv4, user_data, layers)
        machine = Leashed(self._command(machine_id, name, ipv4, layers), folder / "console.log")
        self._running[machine_id] = machine
        self._wait_started(machine_id, machine)

    def _note_image(self, folder: pathlib.Path, image: int | None) -> None:
        """What a machine began with is below its own layer for good."""
        if image is not None and not (folder / "image").exists():
            self._images.layers(image)
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / "image").write_text(str(image))

    def _layers(self, folder: pathlib.Path) -> str:
        """What lies below the machine's own layer, uppermost first, as a mount wants it."""
        return ":".join(str(layer) for layer in [*self._above_plain(folder), self._image])

    def _above_plain(self, folder: pathlib.Path) -> list[pathlib.Path]:
        image = folder / "image"
        return self._images.layers(int(image.read_text())) if image.exists() else []

    def _own_disk(self, machine_id: int) -> list[str]:
        """The file with a disk of its own, where SANDBOX_DISK_MIB says how big those of machines with an image are."""
        folder, size = self._folder(machine_id), int(os.environ.get("SANDBOX_DISK_MIB") or 0)
        return [str(disk.ensure_file(folder, size))] if size and (folder / "image").exists() else []

    def _command(self, machine_id: int, name: str, ipv4: str, layers: str) -> list[str]:
        if self._lan is None:
            raise HostsUnavailable("the hosts were closed")
        places = ["sh", str(SCRIPT), str(self._folder(machine_id)), layers]
        hostname = name[:LONGEST_HOSTNAME].rstrip(".-")
        network = [hostname, ipv4, self._lan.gateway, self._lan.path, f"m{machine_id}"]
        own_namespaces = ["unshare", "--mount", "--net", "--propagation", "private"]
        return [*own_namespaces, *places, *network, self._group(machine_id), *self._own_disk(machine_id)]

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
        self._images.sweep(self._used())

    def halt(self, machine_id: int) -> None:
        machine = self._running.pop(machine_id, None)
        groups.end(
            f"{self._group(machine_id)}/payload"
        )  # then systemd-nspawn and its parents leave in good order
        if machine:
            machine.end()
        groups.end(self._group(machine_id))

    def shutdown(self, machine_id: int) -> None:
        groups.tell(f"{self._group(machine_id)}/payload/init.scope", POWER_OFF)

    def snapshot(self, machine_id: int, image: int, about: About) -> int:
        """As at the vendor, what a running machine has not written yet is not in it."""
        folder = self._folder(machine_id)
        if (folder / disk.FILE).exists():
            raise HostsUnavailable("a machine with a disk of its own size cannot be copied here")
        copied = self._images.keep(image, folder / "upper", self._above_plain(folder), about)
        if about.get("labels") and (memory := self._memory()):
            memory.add(self._images.folder(image))
        return copied

    def _memory(self) -> Memory | None:
        """Shared by sandboxes with the same cache; without one, each remembers only its own."""
        if "MAILAT_CACHE" not in os.environ:
            return None
        return Memory(plain.cache(self._place) / "images", plain.recipe())

    def forget_image(self, image: int) -> None:
        self._images.forget(image, self._used())

    def _used(self) -> list[int]:
        return [int(file.read_text()) for file in self._place.glob("machine-*/image")]

    def remembered(self) -> dict[str, About]:
        memory = self._memory()
        return memory.all() if memory else {}

    def adopt(self, key: str, image: int) -> bool:
        memory = self._memory()
        return memory is not None and memory.hand(key, self._images, image)

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
