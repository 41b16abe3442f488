"""The network that the Debian hosts of one sandbox share with each other and with the control plane, and with nobody else.

What of the internet the hosts need lives in it: see sandbox/internet.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import pathlib
import socket
from collections.abc import Awaitable, Callable

from sandbox.hosts.debian import machines
from sandbox.internet import services
from sandbox.internet.addresses import MACHINES
from sandbox.internet.background import Background, join


def notes(home: pathlib.Path) -> pathlib.Path:
    """The file that tells other processes where the network of this sandbox is."""
    return home.resolve() / "debian" / "lan.json"


def to_loopback(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """The control plane and what else machines may reach are on this computer's own loopback."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_connection("127.0.0.1", port)
        except OSError:  # it is not up yet: the agent will come again
            writer.close()
            return
        await join((reader, writer), far)

    return carry


class Lan:
    """A bridge with the sandbox's own machines on it, their services, and the way to the control plane."""

    def __init__(
        self,
        network: ipaddress.IPv4Network,
        control_port: int,
        place: pathlib.Path,
        more_ports: tuple[int, ...] = (),
    ) -> None:
        self.network, self._notes = network, notes(place.parent)
        with contextlib.ExitStack() as begun:
            self.hub = machines.gateway(network)
            begun.callback(self.hub.close)
            self.machines = {each: machines.tied(self.hub, network, each) for each in MACHINES}
            for machine in self.machines.values():
                begun.callback(machine.close)
            self.background = Background("lan")
            begun.callback(self.background.close)
            for port in (control_port, *more_ports):
                self.background.do(asyncio.start_server(to_loopback(port), sock=self.hub.listen(port)))
            self._services = services.Services(self, place.parent)
            begun.callback(self._services.close)
            machines.note(self._notes, network, [self.hub, *self.machines.values()])
            begun.callback(self._notes.unlink, missing_ok=True)
            self._ends = begun.pop_all()

    @property
    def gateway(self) -> str:
        return self.hub.address

    @property
    def path(self) -> str:
        """How another process of this computer names the bridge's namespace, as long as this one lives."""
        return self.hub.path

    @property
    def why_no_acme(self) -> str:
        return self._services.why_no_acme

    def listen(self, place: int, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket on one of the machines."""
        return (self.hub if place == 1 else self.machines[place]).listen(port, kind)

    def close(self) -> None:
        self._ends.close()
