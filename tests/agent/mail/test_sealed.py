"""What the control plane seals to a host, that host opens, and nobody else; for its purpose, and no other."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import example, given
from hypothesis import strategies as st

from agent.mailat_agent.mail import sealed

SERVER = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO = b"mailat-relay-v1\n" + SERVER.encode()

# RFC 9180, A.1.1: DHKEM(X25519), HKDF-SHA256, AES-128-GCM, base mode.
VECTOR = {
    "info": "4f6465206f6e2061204772656369616e2055726e",
    "skRm": "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
    "enc": "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
    "shared_secret": "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc",
    "key": "4531685d41d65f03dc48f6b8302c05b0",
    "base_nonce": "56d890e5accaaf011cff4b7d",
    "pt": "4265617574792069732074727574682c20747275746820626561757479",
    "aad": "436f756e742d30",
    "ct": "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
}


def seal(text: bytes, info: bytes = INFO, key: X25519PrivateKey = KEY) -> str:
    return base64.b64encode(SUITE.encrypt(text, key.public_key(), info=info)).decode()


@given(st.binary(max_size=300))
def test_what_the_control_planes_library_seals_is_opened(text: bytes) -> None:
    assert sealed.opened(KEY, INFO, base64.b64decode(seal(text))) == text


def test_the_relays_password_is_opened_for_its_server() -> None:
    assert sealed.relay_password(KEY, SERVER, seal(b"BPassword/+")) == "BPassword/+"


@pytest.mark.parametrize(
    "text",
    [
        seal(b"x", key=X25519PrivateKey.from_private_bytes(bytes(32))),
        seal(b"x", info=b"mailat-relay-v1\n" + SERVER.replace("0d", "1d").encode()),
        seal(b"x", info=SERVER.encode()),
        seal("ü".encode()),
        base64.b64encode(bytes(32 + 16)).decode(),
        base64.b64encode(b"\x01" + bytes(100)).decode(),
        "",
        "AAAA",
        "no base64!",
    ],
    ids=[
        "another key",
        "another server",
        "another purpose",
        "no ASCII",
        "zero point",
        "no point",
        "",
        "short",
        "text",
    ],
)
def test_anything_else_is_not_opened(text: str) -> None:
    with pytest.raises(sealed.CannotOpen):
        sealed.relay_password(KEY, SERVER, text)


@given(st.integers(0, 32 + 16 + 4), st.integers(1, 255))
@example(31, 0x80)  # the bit of a point that X25519 ignores
def test_no_byte_of_it_can_be_another(place: int, flip: int) -> None:
    raw = bytearray(base64.b64decode(seal(b"hello")))
    raw[place] ^= flip

    with pytest.raises(sealed.CannotOpen):
        sealed.opened(KEY, INFO, bytes(raw))


def test_the_rfcs_own_figures_come_out() -> None:
    value = {name: bytes.fromhex(text) for name, text in VECTOR.items()}
    key = X25519PrivateKey.from_private_bytes(value["skRm"])

    shared = sealed.decapsulated(key, value["enc"])
    aead_key, nonce = sealed.schedule(shared, value["info"], aead=0x0001, key_length=16)

    assert (shared, aead_key, nonce) == (value["shared_secret"], value["key"], value["base_nonce"])
    assert AESGCM(aead_key).decrypt(nonce, value["ct"], value["aad"]) == value["pt"]
