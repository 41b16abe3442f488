"""Secrets for somebody else's eyes: sealed to a public key, and nobody here can open them again.

HPKE (RFC 9180) in base mode: X25519, HKDF-SHA256, AES-256-GCM.
"""

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_to(public_key: str, info: bytes, secret: str) -> str:
    """The secret in base64, to be opened by who has the private key and names the same `info`: whose it is and what for.

    `public_key` is base64 of the 32 bytes of an X25519 key; what is given back is the encapsulated key and the ciphertext.
    Raises ValueError if it is no such key.
    """
    try:
        key = X25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("no public key of X25519") from None
    return base64.b64encode(SUITE.encrypt(secret.encode(), key, info=info)).decode()
