"""Machines that the sandbox itself plays in the hosts' network: a namespace with an address of its own, and nothing else.

They have no name and no mount: only this process holds them, so they end with it, however it ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import json
import os
import pathlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import TypeVar

from sandbox.hosts.debian import namespaces
from sandbox.internet.files import write_whole

Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Machine:
    """An address, and the descriptor of the namespace that has it."""

    address: str
    namespace: int

    @property
    def path(self) -> str:
        """How another process of this computer names the namespace, as long as this one lives."""
        return f"/proc/{os.getpid()}/fd/{self.namespace}"

    def inside(self, work: Callable[[], Result]) -> Result:
        """What `work` returns when it runs there; its sockets stay there."""
        return namespaces.inside(self.namespace, work)

    def command(self, words: list[str]) -> list[str]:
        """The command that runs another one there."""
        return ["nsenter", f"--net={self.path}", *words]

    def listen(self, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket there, already listening if it is one for connections."""

        def make() -> socket.socket:
            if kind == socket.SOCK_STREAM:
                return socket.create_server((self.address, port), backlog=256)
            one = socket.socket(socket.AF_INET, kind)
            one.bind((self.address, port))
            return one

        return self.inside(make)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.namespace)


def gateway(network: ipaddress.IPv4Network) -> Machine:
    """The machine with the bridge, to which all others are tied."""
    machine = Machine(str(network[1]), namespaces.new())
    _ip(machine, ["link set lo up", "link add br0 type bridge"])
    _ip(machine, [f"addr add {machine.address}/{network.prefixlen} dev br0", "link set br0 up"])
    return machine


def tied(hub: Machine, network: ipaddress.IPv4Network, place: int) -> Machine:
    """A machine at that place of the network, with the gateway as its way out."""
    machine = Machine(str(network[place]), namespaces.new())
    port = f"p{place}"
    _ip(
        hub,
        [f"link add {port} type veth peer name eth0 netns {machine.path}", f"link set {port} master br0 up"],
    )
    own = [f"addr add {machine.address}/{network.prefixlen} dev eth0", "link set lo up", "link set eth0 up"]
    _ip(machine, [*own, f"route add default via {hub.address}"])
    return machine


def _ip(machine: Machine, lines: list[str]) -> None:
    """Raises OSError with what the program said."""
    command = machine.command(["ip", "-batch", "-"])
    run = subprocess.run(command, input="\n".join(lines), text=True, capture_output=True)
    if run.returncode != 0:
        raise OSError(f"ip could not do what it was told: {run.stderr.strip()[-300:]}")


def note(file: pathlib.Path, network: ipaddress.IPv4Network, machines: list[Machine]) -> None:
    """Writes down where the machines are, for other processes of this computer."""
    places = {one.address: {"path": one.path, "inode": os.fstat(one.namespace).st_ino} for one in machines}
    write_whole(file, json.dumps({"network": str(network), "machines": places}).encode(), mode=0o600)


class NoLan(Exception):
    """The hosts' network is not there; the text says so in plain words."""


@dataclasses.dataclass(frozen=True)
class Noted:
    """What was written down of a network that is there now."""

    network: ipaddress.IPv4Network
    places: dict[str, str]

    @contextlib.contextmanager
    def machine(self, address: str) -> Iterator[Machine]:
        """One of its machines, opened for a while."""
        if address not in self.places:
            raise NoLan(
                f"no machine of the sandbox has the address {address}; these are: {', '.join(self.places)}"
            )
        try:
            machine = Machine(address, os.open(self.places[address], os.O_RDONLY | os.O_CLOEXEC))
        except OSError as problem:
            raise NoLan(f"the hosts' network has ended: {problem.strerror}") from problem
        try:
            yield machine
        finally:
            machine.close()


def noted(file: pathlib.Path) -> Noted:
    """Reads it again; raises NoLan where the network is not there any more."""
    try:
        told = json.loads(file.read_text())
        network, places = ipaddress.IPv4Network(told["network"]), told["machines"]
        there = all(os.stat(one["path"]).st_ino == one["inode"] for one in places.values())
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise NoLan("there is no network of Debian hosts here now; they need root on Linux") from problem
    if not there:
        raise NoLan("the network of Debian hosts has ended with the process that held it")
    return Noted(network, {address: one["path"] for address, one in places.items()})
