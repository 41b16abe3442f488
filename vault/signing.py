"""Signatures of what a worker orders and of what we attest; a web process has no private key and can only check.

Ed25519 (RFC 8032). What is signed is `mailat-<purpose>-v1`, a line feed, and the text, so that a signature made for one
purpose is worth nothing for another.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings


class NoSigningKey(Exception):
    """This process was given no private key; only workers are."""


@dataclass(frozen=True)
class Signature:
    """`key` is the id of the public key, `value` the signature in base64."""

    key: str
    value: str


def sign(purpose: str, text: str) -> Signature:
    """Signs the text for a purpose. Raises NoSigningKey where there is none."""
    if not settings.SIGNING_KEY_FILE:
        raise NoSigningKey("SIGNING_KEY_FILE is not set: only a worker signs")
    private = _private(settings.SIGNING_KEY_FILE)
    value = base64.b64encode(private.sign(_message(purpose, text))).decode()
    return Signature(key_id(private.public_key()), value)


def derive(purpose: str, text: str) -> str:
    """A secret of 256 bits in hexadecimal that any worker can make again and nobody else can make.

    Ed25519 signatures are deterministic, so the digest of one is such a secret.
    """
    return hashlib.sha256(sign(purpose, text).value.encode()).hexdigest()


def is_valid(purpose: str, text: str, signature: Signature) -> bool:
    """Whether one of our published keys made this signature of this text for this purpose."""
    public = public_keys().get(signature.key)
    if public is None:
        return False
    try:
        public.verify(base64.b64decode(signature.value, validate=True), _message(purpose, text))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> dict[str, Ed25519PublicKey]:
    """Our public keys by id, the older ones among them."""
    return _public(settings.SIGNING_PUBLIC_KEYS_FILE)


def raw_public_keys() -> dict[str, str]:
    """The same as base64 of their 32 bytes, as agents are given them."""
    return {name: base64.b64encode(_raw(key)).decode() for name, key in public_keys().items()}


def key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the key's 32 bytes."""
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def _message(purpose: str, text: str) -> bytes:
    return f"mailat-{purpose}-v1\n{text}".encode()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


@lru_cache(maxsize=4)
def _private(path: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(Path(path).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey("SIGNING_KEY_FILE holds another kind of key than Ed25519")
    return key


@lru_cache(maxsize=4)
def _public(path: str) -> dict[str, Ed25519PublicKey]:
    end = b"-----END PUBLIC KEY-----"
    blocks = [block + end for block in Path(path).read_bytes().split(end) if b"BEGIN PUBLIC KEY" in block]
    keys = [load_pem_public_key(block.lstrip()) for block in blocks]
    return {key_id(key): key for key in keys if isinstance(key, Ed25519PublicKey)}
