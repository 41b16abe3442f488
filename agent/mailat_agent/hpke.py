"""Seals to a key and opens what was sealed to one: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM.

Written out, because Debian 13's python3-cryptography (43) has the parts and not the whole.
"""

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM, KDF, AES_256_GCM = 0x0020, 0x0001, 0x0002  # RFC 9180, section 7
ENC, TAG = 32, 16  # bytes
NONCE = 12  # bytes, of every AEAD of the RFC
BASE = b"\x00"  # mode_base


class CannotOpen(Exception):
    """It was sealed to another key, for another purpose, or not at all."""


def opened(key: X25519PrivateKey, info: bytes, sealed: bytes) -> bytes:
    """The text of a single-shot message, `enc` and ciphertext one behind the other, no associated data."""
    enc, ciphertext = sealed[:ENC], sealed[ENC:]
    if len(ciphertext) < TAG:
        raise CannotOpen
    try:
        aead_key, nonce = schedule(decapsulated(key, enc), info, AES_256_GCM, 32)
        return AESGCM(aead_key).decrypt(nonce, ciphertext, b"")
    except (InvalidTag, ValueError):  # ValueError: a point that gives no secret
        raise CannotOpen from None


def sealed_to(public: bytes, info: bytes, text: bytes) -> bytes:
    """A single-shot message that only the owner of the raw `public` key opens, and only as `info`; raises ValueError."""
    once = X25519PrivateKey.generate()
    enc = _raw(once.public_key())
    secret = once.exchange(X25519PublicKey.from_public_bytes(public))
    aead_key, nonce = schedule(_shared(secret, enc, public), info, AES_256_GCM, 32)
    return enc + AESGCM(aead_key).encrypt(nonce, text, b"")


def decapsulated(key: X25519PrivateKey, enc: bytes) -> bytes:
    """The shared secret of section 4.1."""
    secret = key.exchange(X25519PublicKey.from_public_bytes(enc))
    return _shared(secret, enc, _raw(key.public_key()))


def schedule(shared: bytes, info: bytes, aead: int, key_length: int) -> tuple[bytes, bytes]:
    """Key and base nonce of section 5.1; the first message is sealed with the base nonce itself."""
    suite = b"HPKE" + _two_bytes(KEM) + _two_bytes(KDF) + _two_bytes(aead)
    context = BASE + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    return (
        _expand(suite, secret, b"key", context, key_length),
        _expand(suite, secret, b"base_nonce", context, NONCE),
    )


def _shared(secret: bytes, enc: bytes, public: bytes) -> bytes:
    suite = b"KEM" + _two_bytes(KEM)
    pseudorandom = _extract(suite, b"", b"eae_prk", secret)
    return _expand(suite, pseudorandom, b"shared_secret", enc + public, 32)


def _raw(public: X25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, sha256)


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = _two_bytes(length) + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labeled + b"\x01", sha256)[:length]  # one block of HKDF-Expand, RFC 5869


def _two_bytes(number: int) -> bytes:
    return number.to_bytes(2, "big")
