"""Whom machines of this internet trust: the sandbox's own authority, and every root that its ACME server ever had."""

from __future__ import annotations

import hashlib
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.internet.ca import Authority
from sandbox.internet.files import locked, write_whole

MOST_ROOTS = 50  # the ACME server makes a new one at every start
COMMON_NAME, UTF8_STRING = bytes.fromhex("0603550403"), 0x0C


class Trust:
    """A bundle in one file, which only grows while machines may hold certificates under older roots."""

    def __init__(self, home: pathlib.Path) -> None:
        self._roots = home / "internet" / "roots"
        self.bundle = home.resolve() / "internet" / "ca-bundle.pem"
        self._own = Authority(home).pem
        self._write()

    def add(self, pem: bytes) -> None:
        """Once, however often it is told."""
        content = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.PEM)
        file = self._roots / f"{hashlib.sha256(content).hexdigest()[:16]}.pem"
        if not file.exists():
            write_whole(file, content)
        self._write()

    def _write(self) -> None:
        with locked(self._roots / "lock"):
            write_whole(self.bundle, b"".join(self.certificates()))

    def certificates(self) -> list[bytes]:
        """PEM, the sandbox's own first, then the newest roots."""
        files = sorted(self._roots.glob("*.pem"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        return [self._own, *(file.read_bytes() for file in files[:MOST_ROOTS])]


def subject_hash(pem: bytes) -> str:
    """What OpenSSL calls the file of a trusted certificate: 8 hexadecimal digits. Source: X509_NAME_hash(3).

    Only for subjects that are one common name, as those of our roots are: it is compared in small letters.
    """
    (attribute,) = x509.load_pem_x509_certificate(pem).subject
    common = " ".join(str(attribute.value).lower().split()).encode()
    canonical = _tagged(0x31, _tagged(0x30, COMMON_NAME + _tagged(UTF8_STRING, common)))
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _tagged(tag: int, content: bytes) -> bytes:
    """DER, of at most 127 bytes."""
    return bytes([tag, len(content)]) + content
