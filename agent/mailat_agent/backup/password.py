"""The repository's password: made on this host, sealed to the vault before anything is encrypted by it."""

import base64
import binascii
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ..files import write_whole
from ..hpke import CannotOpen, opened, sealed_to
from .wanted import Escrow

FILE = "password"
HANDED = b"mailat-backup-v1\n"  # then the server's UUID: what HPKE is told of a password for new hardware


def kept(own: Path) -> str:
    """The password of this host's repository; "" before it is made."""
    path = own / FILE
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def make(own: Path) -> str:
    """A new one, 256 random bits in hex, durable before anybody hears of it."""
    return keep(own, secrets.token_hex(32))


def keep(own: Path, password: str) -> str:
    """Make it this host's."""
    write_whole(own / FILE, f"{password}\n")
    return password


def sealed(password: str, escrow: Escrow) -> str:
    """For the vault alone, in base64; raises ValueError where its key is none."""
    return base64.b64encode(sealed_to(escrow.public, escrow.info, password.encode("ascii"))).decode()


def handed(key: X25519PrivateKey, server: str, text: str) -> str:
    """The password that another host made, sealed to this one; raises CannotOpen."""
    try:
        raw = base64.b64decode(text, validate=True)
        return opened(key, HANDED + server.encode("ascii"), raw).decode("ascii")
    except (ValueError, binascii.Error):
        raise CannotOpen from None
