"""DKIM keys of the sandbox's own domains: those of the outside correspondents and of the sending service."""

from __future__ import annotations

import base64
import pathlib

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.internet.files import locked, write_whole

SELECTOR = "sandbox"
SIGNED = [b"from", b"to", b"subject", b"reply-to", b"mime-version", b"content-type"]


class DkimKey:
    """One key for all of them, made at first use and kept below `home`."""

    def __init__(self, home: pathlib.Path) -> None:
        file = home / "internet" / "dkim.key"
        with locked(file.with_suffix(".lock")):
            if not file.exists():
                write_whole(file, _made(), mode=0o600)
        self._pem = file.read_bytes()

    @property
    def txt(self) -> str:
        """The value of the TXT record that shows the public key."""
        key = serialization.load_pem_private_key(self._pem, None).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = base64.b64encode(key.public_bytes(serialization.Encoding.DER, form)).decode()
        return f"v=DKIM1; k=rsa; p={public}"

    def sign(self, raw: bytes, domain: str, selector: str = SELECTOR) -> bytes:
        """The message with a signature of that domain on top."""
        signature = dkim.sign(
            raw, selector.encode(), domain.encode(), self._pem,
            canonicalize=(b"relaxed", b"relaxed"), include_headers=SIGNED,
        )  # fmt: skip
        return bytes(signature) + raw


def _made() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
