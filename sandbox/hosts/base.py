"""What the stand-in asks of a kind of host, whatever that kind is."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

Log = Callable[[str], None]
About = dict[str, Any]
BENCHMARK_NETWORK = ipaddress.IPv4Network("198.18.0.0/15")  # RFC 2544: addresses that no real host has


class HostsUnavailable(Exception):
    """This kind of host cannot run on this computer; the text says why in plain words."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """What must be known to start a machine, the first time or again; without an image it begins with the plain one."""

    id: int
    name: str
    ipv4: str
    user_data: str
    image: int | None = None


class Hosts(abc.ABC):
    """Starts and ends machines; every method may be called from several threads and repeated."""

    kind: str = ""
    why: str = ""
    address_of_control: str = "127.0.0.1"
    network: ipaddress.IPv4Network = BENCHMARK_NETWORK
    closed: bool = False

    def prepare(self) -> None:  # noqa: B027 - most kinds need none
        """Does the long work once, such as making an image; raises HostsUnavailable where it fails."""

    @abc.abstractmethod
    def boot(self, machine_id: int, name: str, ipv4: str, user_data: str, image: int | None = None) -> None:
        """Starts the machine and returns when it runs; raises HostsUnavailable or OSError where it does not."""

    @abc.abstractmethod
    def stop(self, machine_id: int) -> None:
        """Ends the machine and removes its disk; a machine that is not there is no error."""

    @abc.abstractmethod
    def halt(self, machine_id: int) -> None:
        """Cuts the machine's power and keeps its disk; a machine that does not run is no error."""

    def shutdown(self, machine_id: int) -> None:
        """Asks the machine to turn itself off, as a press of its button would."""
        self.halt(machine_id)

    @abc.abstractmethod
    def alive(self, machine_id: int) -> bool:
        """Whether the machine runs now."""

    @abc.abstractmethod
    def console(self, machine_id: int) -> str:
        """The last lines that the machine wrote on its console."""

    @abc.abstractmethod
    def forget_others(self, keep: set[int]) -> None:
        """Removes the disks of machines that no one knows any more."""

    def snapshot(self, machine_id: int, image: int, about: About) -> int:
        """Keeps a copy of the machine's disk under that number; bytes copied. Raises HostsUnavailable or OSError.

        `about` is whatever must be known of it by a later sandbox that finds it by `remembered`.
        """
        return 0

    def forget_image(self, image: int) -> None:  # noqa: B027 - most kinds keep none
        """No machine will begin with it any more; those that did go on."""

    def remembered(self) -> dict[str, About]:
        """Copies of disks that sandboxes before this one have left for others, by their key."""
        return {}

    def adopt(self, key: str, image: int) -> bool:
        """Takes such a copy over under a number of our own; false if it is gone by now."""
        return False

    def restore(self, machines: Iterable[Machine]) -> None:
        """Starts again what should be running after the sandbox itself was away."""
        for machine in machines:
            if not self.alive(machine.id):
                with contextlib.suppress(
                    HostsUnavailable, OSError
                ):  # one that fails keeps no other from starting
                    self.boot(machine.id, machine.name, machine.ipv4, machine.user_data, machine.image)

    def close(self) -> None:
        """Ends every machine and keeps the disks, as a power cut would; from now on no machine is expected to run."""
        self.closed = True
        self._end_all()

    @abc.abstractmethod
    def _end_all(self) -> None:
        """Ends every machine and keeps the disks."""
