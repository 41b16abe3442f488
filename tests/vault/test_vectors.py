"""RFC 9180's own vectors, as `cryptography` publishes them with its releases: for each suite with X25519 and HKDF-SHA256.

Every message of a vector has additional data ("Count-0"), which the library's public calls cannot express and we do not use. So
two things are shown: the library opens the vector itself, by the call that its own tests use; and what *we* call opens a message
with no additional data under the key and the nonce that the vector says belong to this encapsulation. What we seal has a random
encapsulation and cannot be compared, so it is opened by a receiver of our own that is held against the vector first.
"""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tests.vault import hpke
from vault import box, sealing
from vault.box import Place
from vault.keys import key_id
from vault.published import PUBLISHED
from vault.sealing import SUITE

VECTORS = json.loads((Path(__file__).parent / "rfc9180.json").read_text())
AEADS = {1: AEAD.AES_128_GCM, 2: AEAD.AES_256_GCM, 3: AEAD.CHACHA20_POLY1305}
OURS = next(one for one in VECTORS if one["aead_id"] == 2)


def raw(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"aead {vector['aead_id']}")
def test_the_library_opens_the_vectors_messages(vector: dict[str, Any]) -> None:
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEADS[vector["aead_id"]])
    private = X25519PrivateKey.from_private_bytes(raw(vector, "skRm"))
    first = vector["encryptions"][0]
    sealed = raw(vector, "enc") + raw(first, "ct")
    opened = openssl.hpke._decrypt_with_aad(suite, sealed, private, raw(vector, "info"), raw(first, "aad"))
    assert opened == raw(first, "pt")


def test_what_we_call_opens_what_the_vectors_key_and_nonce_sealed() -> None:
    plain = raw(OURS["encryptions"][0], "pt")
    ciphertext = AESGCM(raw(OURS, "key")).encrypt(raw(OURS, "base_nonce"), plain, b"")
    private = X25519PrivateKey.from_private_bytes(raw(OURS, "skRm"))
    assert SUITE.decrypt(raw(OURS, "enc") + ciphertext, private, info=raw(OURS, "info")) == plain


def test_the_second_receiver_derives_what_the_vector_says() -> None:
    private = X25519PrivateKey.from_private_bytes(raw(OURS, "skRm"))
    derived = hpke.schedule(raw(OURS, "enc"), private, raw(OURS, "info"))
    assert derived == (raw(OURS, "shared_secret"), raw(OURS, "key"), raw(OURS, "base_nonce"))


def test_the_second_receiver_opens_what_we_seal() -> None:
    private, place = X25519PrivateKey.generate(), Place(uuid4(), uuid4(), "aws", "credentials:1")
    sealed = box.seal(place, "ein Geheimnis", private.public_key())
    assert hpke.unseal(sealed, private, place.info()) == b"ein Geheimnis"
    assert len(sealed) == len("ein Geheimnis") + box.OVERHEAD


def test_what_is_sealed_to_an_agent_is_of_the_same_kind() -> None:
    import base64

    private = X25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    sealed = base64.b64decode(sealing.seal_to(public, b"an agent", "password"))
    assert hpke.unseal(sealed, private, b"an agent") == b"password"


@pytest.mark.parametrize("name", ["skRm", "skEm"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"aead {vector['aead_id']}")
def test_a_key_of_a_vector_is_known_as_published(vector: dict[str, Any], name: str) -> None:
    private = X25519PrivateKey.from_private_bytes(raw(vector, name))
    assert key_id(private.public_key()) in PUBLISHED


def test_all_published_keys_are_listed_and_well_formed() -> None:
    assert len(PUBLISHED) > 80
    assert all(len(name) == 16 and int(name, 16) for name in PUBLISHED)
