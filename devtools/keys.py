"""Secrets of one installation: made once, kept in files that only their owner reads."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("SECRET_KEY", "HETZNER_TOKEN", "GUMROAD_TOKEN", "GUMROAD_WEBHOOK_SECRET")
STORAGE = ("STORAGE_ACCESS_KEY", "STORAGE_SECRET_KEY")


@dataclass(frozen=True)
class Keys:
    """What is private is for workers alone; `values` are settings by name, `storage` those that the web process must not have."""

    values: dict[str, str]
    private: Path
    public: Path
    vault_private: Path
    vault_public: Path
    storage: dict[str, str]


def ensure(folder: Path) -> Keys:
    """The secrets in this directory; what is missing is made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    values = ensure_values(folder / "values.json", NAMES)
    storage = ensure_values(folder / "storage-key.json", STORAGE)
    return Keys(values, *ensure_pair(folder), *ensure_vault_pair(folder), storage)


def ensure_values(file: Path, names: tuple[str, ...]) -> dict[str, str]:
    have = json.loads(file.read_text()) if file.exists() else {}
    values = {name: have.get(name) or secrets.token_urlsafe(48) for name in names}
    if values != have:
        write_private(file, json.dumps(values, indent=1).encode())
    return values


def ensure_pair(folder: Path) -> tuple[Path, Path]:
    """An Ed25519 key that signs orders and receipts, and the bundle of public keys that check them."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _ensure_pair(folder / "signing-key.pem", folder / "signing-public-keys.pem", Ed25519PrivateKey)


def ensure_vault_pair(folder: Path) -> tuple[Path, Path]:
    """An X25519 key that opens what is kept in the vault, and its public half that seals it."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return _ensure_pair(folder / "vault-private-keys.pem", folder / "vault-public-keys.pem", X25519PrivateKey)


def _ensure_pair(private: Path, public: Path, kind: Any) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )

    if not private.exists():
        pem = kind.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
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
