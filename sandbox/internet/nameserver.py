"""Answers DNS queries of the hosts' network: at once, also that there is no such name, because daemons wait for silence."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from sandbox.internet.names import Answer, Names
from sandbox.internet.records import LONGEST_TTL, plain

SMALLEST, LARGEST = 512, 65535  # bytes of an answer: by UDP without EDNS, and by TCP
SOA = f"gateway.sandbox.test. people.sandbox.test. 1 60 60 60 {LONGEST_TTL}"


def respond(names: Names, wire: bytes, by_tcp: bool) -> bytes:
    """The answer to one query; nothing for what is none."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return b""
    if query.flags & dns.flags.QR:
        return b""
    response = dns.message.make_response(query, recursion_available=True)
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        response.set_rcode(dns.rcode.NOTIMP)
    else:
        _fill(response, names, query.question[0])
    room = LARGEST if by_tcp else max(SMALLEST, query.payload) if query.edns >= 0 else SMALLEST
    return response.to_wire(max_size=room, prefer_truncation=True)


def _fill(response: dns.message.Message, names: Names, question: dns.rrset.RRset) -> None:
    if question.rdclass != dns.rdataclass.IN:
        response.set_rcode(dns.rcode.REFUSED)
        return
    answer = names.lookup(plain(question.name), dns.rdatatype.to_text(question.rdtype))
    if not answer.exists:
        response.set_rcode(dns.rcode.NXDOMAIN)
    if answer.records:
        response.answer = _rrsets(answer, question.name)
    else:
        response.authority = [_soa(question.name)]


def _rrsets(answer: Answer, asked: dns.name.Name) -> list[dns.rrset.RRset]:
    """In the order in which they were found; the name asked for as it was written."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for record in answer.records:
        grouped.setdefault((record.name, record.type), []).append(record.value)
    return [
        dns.rrset.from_text_list(
            asked if name == plain(asked) else dns.name.from_text(name), LONGEST_TTL, "IN", kind, values
        )
        for (name, kind), values in grouped.items()
    ]


def _soa(name: dns.name.Name) -> dns.rrset.RRset:
    zone = name.parent() if len(name) > 2 else name
    return dns.rrset.from_text(zone, LONGEST_TTL, "IN", "SOA", SOA)


class NameServer:
    """Listens on two sockets that were made where it shall be heard."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def serve(self, by_udp: socket.socket, by_tcp: socket.socket) -> None:
        """Returns when it listens."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: _Datagrams(self._names), sock=by_udp)
        await asyncio.start_server(self._converse, sock=by_tcp)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = respond(self._names, await reader.readexactly(length), by_tcp=True)
                if not answer:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = respond(self._names, data, by_tcp=False)
        if answer:
            self._transport.sendto(answer, addr)
