"""Secrets of one installation: made once, kept in files that only their owner reads."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

NAMES = ("SECRET_KEY", "HETZNER_TOKEN", "GUMROAD_TOKEN", "GUMROAD_WEBHOOK_SECRET")


@dataclass(frozen=True)
class Keys:
    """`private` is for workers alone; `values` are settings by name."""

    values: dict[str, str]
    private: Path
    public: Path


def ensure(folder: Path) -> Keys:
    """The secrets in this directory; what is missing is made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return Keys(ensure_values(folder / "values.json"), *ensure_pair(folder))


def ensure_values(file: Path) -> dict[str, str]:
    have = json.loads(file.read_text()) if file.exists() else {}
    values = {name: have.get(name) or secrets.token_urlsafe(48) for name in NAMES}
    if values != have:
        write_private(file, json.dumps(values, indent=1).encode())
    return values


def ensure_pair(folder: Path) -> tuple[Path, Path]:
    """An Ed25519 key that signs orders and receipts, and the bundle of public keys that check them."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )

    private, public = folder / "signing-key.pem", folder / "signing-public-keys.pem"
    if not private.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(private, pem)
    if not public.exists():
        key = load_pem_private_key(private.read_bytes(), None).public_key()
        write_private(public, key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def write_private(file: Path, content: bytes) -> None:
    """Whole or not at all, and never for a moment readable by others."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.rename(file)
