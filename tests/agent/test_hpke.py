"""What a host seals, the control plane's library opens, and nobody without the key or for another purpose."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent import hpke

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@given(text=st.binary(max_size=300), info=st.binary(max_size=80))
def test_what_a_host_seals_is_opened_by_the_control_planes_library(text: bytes, info: bytes) -> None:
    sealed = hpke.sealed_to(PUBLIC, info, text)

    assert SUITE.decrypt(sealed, KEY, info=info) == text
    assert hpke.opened(KEY, info, sealed) == text


def test_it_opens_for_no_other_purpose_and_with_no_other_key() -> None:
    sealed = hpke.sealed_to(PUBLIC, b"escrow", b"password")

    with pytest.raises(InvalidTag):
        SUITE.decrypt(sealed, KEY, info=b"relay")
    with pytest.raises(hpke.CannotOpen):
        hpke.opened(X25519PrivateKey.generate(), b"escrow", sealed)


def test_no_two_seals_are_the_same() -> None:
    assert hpke.sealed_to(PUBLIC, b"", b"x") != hpke.sealed_to(PUBLIC, b"", b"x")


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32)], ids=["none", "short", "zero point"])
def test_to_what_is_no_key_nothing_is_sealed(public: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        hpke.sealed_to(public, b"", b"x")
