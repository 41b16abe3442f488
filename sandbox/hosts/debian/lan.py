"""The network that the Debian hosts of one sandbox share with each other and with the control plane, and with nobody else.

Its namespace has no name and no mount: only this process holds it, so it ends with the process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from sandbox.hosts.debian import namespaces
from sandbox.hosts.leashed import Leashed

CHUNK = 65536


class Lan:
    """A bridge, a name server where dnsmasq is installed, and the way to the control plane."""

    def __init__(self, network: ipaddress.IPv4Network, control_port: int, place: pathlib.Path) -> None:
        self.network, self.gateway = network, str(network[1])
        self._port, self._place = control_port, place
        self._namespace = namespaces.new()
        self._make_bridge()
        self._dns = self._start_dns()
        self._forwarder = Forwarder(self._listen(), control_port)

    @property
    def path(self) -> str:
        """How another process of this computer names the namespace, as long as this one lives."""
        return f"/proc/{os.getpid()}/fd/{self._namespace}"

    def _make_bridge(self) -> None:
        for command in (
            "ip link set lo up",
            "ip link add br0 type bridge",
            f"ip addr add {self.gateway}/{self.network.prefixlen} dev br0",
            "ip link set br0 up",
        ):
            subprocess.run(self._inside(command.split()), check=True, capture_output=True)

    def _inside(self, command: list[str]) -> list[str]:
        return ["nsenter", f"--net={self.path}", *command]

    def _start_dns(self) -> Leashed | None:
        if not shutil.which("dnsmasq"):
            return None
        answers = [
            "--no-resolv",
            "--no-hosts",
            "--local=/#/",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--user=root",
        ]
        listening = f"--listen-address={self.gateway} --bind-interfaces --except-interface=lo".split()
        command = self._inside(["dnsmasq", "--keep-in-foreground", *answers, *listening])
        return Leashed(command, self._place / "dns.log")

    def _listen(self) -> socket.socket:
        def listen() -> socket.socket:
            return socket.create_server((self.gateway, self._port), backlog=256)

        return namespaces.inside(self._namespace, listen)

    def close(self) -> None:
        self._forwarder.close()
        if self._dns:
            self._dns.end()
        with contextlib.suppress(OSError):
            os.close(self._namespace)


class Forwarder:
    """Carries connections that hosts make to the gateway over to the control plane on this computer's loopback."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self._port, self._loop = port, asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=listener))
        self._thread = threading.Thread(target=self._run, name="lan-forwarder", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_forever()
        self._server.close()
        self._loop.run_until_complete(_cancel_all())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:  # the control plane is not up yet: the agent will come again
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        for end in (writer, far_writer):
            end.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
