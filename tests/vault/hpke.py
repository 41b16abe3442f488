"""The receiver's side of HPKE, base mode, written from RFC 9180 with hmac alone: a second opinion on what we seal.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Source: https://www.rfc-editor.org/rfc/rfc9180, sections 4.1, 5.1, 7.
"""

import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM = b"KEM" + (0x20).to_bytes(2, "big")
SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x20, 1, 2))


class Schedule(NamedTuple):
    """What both sides derive from one encapsulation."""

    shared_secret: bytes
    key: bytes
    base_nonce: bytes


def extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(secret, labelled + b"\x01", "sha256")[:length]


def schedule(enc: bytes, private: X25519PrivateKey, info: bytes) -> Schedule:
    exchanged = private.exchange(X25519PublicKey.from_public_bytes(enc))
    context = enc + private.public_key().public_bytes_raw()
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", exchanged), b"shared_secret", context, 32)
    both = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    return Schedule(
        shared, expand(SUITE, secret, b"key", both, 32), expand(SUITE, secret, b"base_nonce", both, 12)
    )


def unseal(sealed: bytes, private: X25519PrivateKey, info: bytes) -> bytes:
    derived = schedule(sealed[:32], private, info)
    return AESGCM(derived.key).decrypt(derived.base_nonce, sealed[32:], b"")
