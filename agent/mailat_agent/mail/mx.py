"""Where a domain's mail goes, asked of the host's own name server; Debian has no tool for it on a small host."""

import contextlib
import secrets
import socket
import struct
from pathlib import Path

RESOLV = Path("/etc/resolv.conf")
PORT = 53
PATIENCE = 3.0  # seconds for each name server
MX, IN = 15, 1  # RFC 1035
LONGEST = 4096  # bytes of an answer
HOPS = 20  # pointers followed in a name, against loops


def leads_to(domain: str, hostname: str, addresses: tuple[str, ...]) -> bool:
    """Whether the preferred mail exchanger of a domain is this host, by its name or by its addresses."""
    exchangers = lookup(domain)
    if not exchangers:
        return False
    _, name = min(exchangers)
    return name == hostname or bool(_addresses(name).intersection(addresses))


def _addresses(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return set()


def lookup(domain: str, servers: list[str] | None = None, port: int = 0) -> list[tuple[int, str]]:
    """Preference and name of each mail exchanger; empty where there is none or nobody says."""
    for server in servers if servers is not None else _servers():
        with contextlib.suppress(OSError, ValueError, struct.error, IndexError):
            return _ask(domain, server, port or PORT)
    return []


def _servers() -> list[str]:
    try:
        lines = RESOLV.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]


def _ask(domain: str, server: str, port: int) -> list[tuple[int, str]]:
    number = secrets.randbelow(65536)
    name = b"".join(bytes([len(label)]) + label.encode("ascii") for label in domain.split(".")) + b"\0"
    question = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", MX, IN)
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(PATIENCE)
        door.connect((server, port))  # only what this server answers is heard
        door.send(question)
        return _exchangers(door.recv(LONGEST), number)


def _exchangers(answer: bytes, number: int) -> list[tuple[int, str]]:
    said, flags, questions, answers = struct.unpack_from("!4H", answer)
    if said != number or not flags & 0x8000 or flags & 0x0200:
        raise ValueError("not the answer, or not the whole of it")
    at = 12
    for _ in range(questions):
        at = _name(answer, at)[1] + 4
    found = []
    for _ in range(answers):
        at = _name(answer, at)[1]
        kind, _, _, length = struct.unpack_from("!HHIH", answer, at)
        at += 10
        if kind == MX:
            found.append((struct.unpack_from("!H", answer, at)[0], _name(answer, at + 2)[0]))
        at += length
    return found


def _name(answer: bytes, at: int) -> tuple[str, int]:
    """A name that begins at a place, in lower case, and the place after it."""
    labels: list[str] = []
    after: int | None = None
    for _ in range(HOPS * 10):
        length = answer[at]
        if length >= 0xC0:
            after = after or at + 2
            at = struct.unpack_from("!H", answer, at)[0] & 0x3FFF
            continue
        at += 1 + length
        if not length:
            return ".".join(labels).lower(), after or at
        labels.append(answer[at - length : at].decode("ascii", "replace"))
    raise ValueError("a name without an end")
