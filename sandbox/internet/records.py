"""DNS records as people write them: checked, and brought into the one form in which they are kept."""

from __future__ import annotations

import dataclasses
import re

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

TYPES = ("A", "AAAA", "MX", "TXT", "CNAME", "SRV", "CAA", "PTR", "NS", "TLSA")
LONGEST_TTL = 5  # seconds: what is changed here is seen at once, whatever the zone says
LINE = re.compile(r"^<string>:(\d+): ")
PIECE = 255  # bytes in one string of a TXT record, RFC 1035


class RecordError(Exception):
    """This is no record that can be kept; the text says why."""


@dataclasses.dataclass(frozen=True, order=True)
class Record:
    """One record; names are in lower case and without the last dot, values as in a zone."""

    name: str
    type: str
    value: str


def record(name: str, kind: str, value: str) -> Record:
    """From the three fields of a form, in which every name is meant whole, with its last dot or without."""
    kind = kind.strip().upper()
    if kind not in TYPES:
        raise RecordError(f"the type must be one of {', '.join(TYPES)}")
    text = _quoted(value.strip()) if kind == "TXT" else value.strip()
    try:
        owner = dns.name.from_text(name.strip())
        rdata = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(kind), text, origin=dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError) as problem:
        raise RecordError(f"{name} {kind}: {problem or 'cannot be read'}") from problem
    return Record(plain(owner), kind, rdata.to_text())


def zone(text: str) -> list[Record]:
    """All records of a zone's text; names without a last dot are meant whole unless $ORIGIN stands before them."""
    try:
        read = dns.zone.from_text(f"$TTL {LONGEST_TTL}\n{text}", ".", relativize=False, check_origin=False)
    except (dns.exception.DNSException, ValueError, EOFError) as problem:
        raise RecordError(f"the zone cannot be read: {_in_lines(str(problem))}") from problem
    found = [(name, dns.rdatatype.to_text(rdata.rdtype), rdata) for name, _, rdata in read.iterate_rdatas()]
    if unknown := sorted({kind for _, kind, _ in found if kind not in (*TYPES, "SOA")}):
        raise RecordError(f"the zone has records of types that are not kept here: {', '.join(unknown)}")
    return [Record(plain(name), kind, rdata.to_text()) for name, kind, rdata in found if kind != "SOA"]


def _in_lines(problem: str) -> str:
    """The library counts our own first line."""
    return LINE.sub(lambda found: f"at or before line {int(found[1]) - 1}: ", problem) or "it is not whole"


def plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _quoted(text: str) -> str:
    """A text without quotation marks is one string, cut where DNS needs it to be."""
    if text.startswith('"'):
        return text
    raw = text.encode()
    pieces = [raw[at : at + PIECE] for at in range(0, len(raw), PIECE)] or [b""]
    return " ".join(f'"{_escaped(piece)}"' for piece in pieces)


def _escaped(piece: bytes) -> str:
    return "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\{byte:03}"
        for byte in piece
    )
