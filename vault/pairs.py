"""Making key pairs and keeping them in two files: whole or not at all, the private one for its owner's eyes alone."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.views.decorators.debug import sensitive_variables

from vault.keys import key_id

SECRET, OPEN = 0o600, 0o644


@sensitive_variables()
def add(private: Path, public: Path) -> str:
    """A new pair at the end of both files, the private half first, so that nobody seals what nobody opens; its id."""
    key = X25519PrivateKey.generate()
    replace(private, _text(private) + private_pem(key), SECRET)
    replace(public, _text(public) + public_pem(key.public_key()), OPEN)
    return key_id(key.public_key())


@sensitive_variables()
def write_private(file: Path, pairs: list[X25519PrivateKey]) -> None:
    """The file with these alone."""
    replace(file, b"".join(private_pem(key) for key in pairs), SECRET)


def write_public(file: Path, pairs: list[X25519PublicKey]) -> None:
    replace(file, b"".join(public_pem(key) for key in pairs), OPEN)


def private_pem(key: X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _text(file: Path) -> bytes:
    text = file.read_bytes() if file.exists() else b""
    return text if not text or text.endswith(b"\n") else text + b"\n"


@sensitive_variables()
def replace(file: Path, content: bytes, mode: int) -> None:
    """A file that is there keeps its mode and owner; a reader sees the old one or the new one."""
    before = file.stat() if file.exists() else None
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(fresh, before.st_uid, before.st_gid)
    fresh.chmod(stat.S_IMODE(before.st_mode) if before else mode)
    fresh.rename(file)
