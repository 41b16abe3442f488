"""A SOCKS5 proxy on loopback by which browsers and tests of this computer reach the hosts' network, and nothing else.

Names are looked up in the sandbox's internet, never on this computer. Source: RFC 1928, of which only CONNECT without
authentication is spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import pathlib
import socket
import struct

from sandbox.hosts.debian import machines
from sandbox.hosts.debian.lan import notes
from sandbox.internet import addresses
from sandbox.internet.background import join
from sandbox.internet.names import Names

VERSION, NO_AUTHENTICATION, NO_METHOD = 5, 0, 0xFF
CONNECT = 1
IPV4, NAME, IPV6 = 1, 3, 4
DONE, FAILED, FORBIDDEN, UNREACHABLE, REFUSED, NO_COMMAND = 0, 1, 2, 4, 5, 7
TIMEOUT = 20.0  # seconds to connect, or to say where to

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SocksError(Exception):
    """The wish cannot be met; `code` is what the client is told."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Proxy:
    """Every connection begins at the laptop of the network, whatever program asked for it."""

    def __init__(self, home: pathlib.Path) -> None:
        self._home = home

    async def start(self, port: int) -> int:
        """The port at which it listens; 0 takes a free one."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.wait_for(self._open(reader, writer), TIMEOUT)
        except SocksError as problem:
            with contextlib.suppress(OSError):
                writer.write(_reply(problem.code))
                await writer.drain()
            writer.close()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            writer.close()
        else:
            await join((reader, writer), far)

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ends:
        version, methods = await reader.readexactly(2)
        offered = await reader.readexactly(methods)
        accepted = version == VERSION and NO_AUTHENTICATION in offered
        writer.write(bytes([VERSION, NO_AUTHENTICATION if accepted else NO_METHOD]))
        if not accepted:
            raise OSError("a client of another kind")
        _, command, _, kind = await reader.readexactly(4)
        host = await _host(reader, kind)
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        if command != CONNECT:
            raise SocksError(NO_COMMAND)
        far = await self._connected(host, port)
        writer.write(_reply(DONE))
        return far

    async def _connected(self, host: str, port: int) -> Ends:
        try:
            lan = machines.noted(notes(self._home))
            address = self._address(host, lan.network)
            with lan.machine(addresses.of(lan.network, addresses.LAPTOP)) as laptop:
                line = laptop.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        except machines.NoLan as problem:
            raise SocksError(FAILED) from problem
        line.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(line, (address, port))
            return await asyncio.open_connection(sock=line)
        except BaseException as problem:
            line.close()
            if isinstance(problem, OSError):
                refused = isinstance(problem, ConnectionRefusedError)
                raise SocksError(REFUSED if refused else UNREACHABLE) from problem
            raise

    def _address(self, host: str, network: ipaddress.IPv4Network) -> str:
        """Of a machine in the network; anything else is out of bounds."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            found = Names(self._home, network).lookup(host.rstrip(".").lower(), "A").values("A")
            if not found:
                raise SocksError(UNREACHABLE) from None
            address = ipaddress.ip_address(found[0])
        if address not in network:
            raise SocksError(FORBIDDEN)
        return str(address)


async def _host(reader: asyncio.StreamReader, kind: int) -> str:
    if kind == NAME:
        (length,) = await reader.readexactly(1)
        return (await reader.readexactly(length)).decode("ascii", "replace")
    if kind in (IPV4, IPV6):
        return str(ipaddress.ip_address(await reader.readexactly(4 if kind == IPV4 else 16)))
    raise SocksError(8)


def _reply(code: int) -> bytes:
    return bytes([VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0])
