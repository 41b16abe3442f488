"""Questions to the name server of this internet, written and read as on the wire."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rdatatype

from sandbox.internet import nameserver
from sandbox.internet.names import Names


def ask(names: Names, name: str, kind: str) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    return dns.message.from_wire(nameserver.respond(names, query.to_wire(), by_tcp=True))


def values(names: Names, name: str, kind: str) -> list[str]:
    """What stands there, in the form of a zone."""
    wanted = dns.rdatatype.from_text(kind)
    return sorted(
        each.to_text() for found in ask(names, name, kind).answer if found.rdtype == wanted for each in found
    )


def cname(names: Names, name: str, target: str) -> str:
    """What is wrong with an alias, in the vendor's words; nothing if it leads to `target`."""
    answer = ask(names, name, "CNAME")
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return "HOST_NOT_FOUND"
    found = [each.to_text().rstrip(".").lower() for one in answer.answer for each in one]
    return "" if found == [target] else "INVALID_VALUE" if found else "TYPE_NOT_FOUND"
