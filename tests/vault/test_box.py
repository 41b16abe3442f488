"""A ciphertext opens in its own place, whole, with the private half of its key; and nowhere else."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from vault import box
from vault.box import Place
from vault.errors import Unreadable

KEY = X25519PrivateKey.generate()
PLACE = Place(uuid4(), uuid4(), "aws", "credentials:1")
# What `str.isprintable` says yes to, made so: most long texts would be thrown away, and now and then too many at once.
PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
TEXTS = st.text(PRINTABLE, min_size=1, max_size=300)
PLACES = st.builds(Place, st.uuids(), st.uuids(), TEXTS, TEXTS)


def seal(text: str = "secret", place: Place = PLACE) -> bytes:
    return box.seal(place, text, KEY.public_key())


@given(place=PLACES, text=TEXTS)
def test_what_was_sealed_opens_in_its_place(place: Place, text: str) -> None:
    assert box.unseal(place, seal(text, place), KEY) == text


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, secret=uuid4()),
        replace(PLACE, account=uuid4()),
        replace(PLACE, purpose="smtp"),
        replace(PLACE, subject="credentials:2"),
        replace(PLACE, account=PLACE.secret, secret=PLACE.account),
    ],
    ids=["row", "owner", "purpose", "subject", "owner and row exchanged"],
)
def test_nothing_opens_in_another_place(other: Place) -> None:
    with pytest.raises(Unreadable):
        box.unseal(other, seal(), KEY)


@given(one=PLACES, other=PLACES)
def test_two_places_never_read_the_same(one: Place, other: Place) -> None:
    assert (one.info() == other.info()) == (one == other)


@given(left=TEXTS, right=TEXTS, cut=st.integers(0, 20))
def test_no_letter_can_wander_from_the_purpose_to_the_subject(left: str, right: str, cut: int) -> None:
    both = left + right
    one, other = (
        replace(PLACE, purpose=left, subject=right),
        replace(PLACE, purpose=both[:cut], subject=both[cut:]),
    )
    assert (one.info() == other.info()) == (one == other)


def test_a_place_that_looks_like_the_parts_of_another_is_still_another() -> None:
    account = UUID(int=1)
    one = Place(account, account, "aws", "a")
    tricky = replace(one, purpose="aws,1:a", subject="")
    assert one.info() != tricky.info()


def test_not_one_flipped_bit_opens() -> None:
    sealed = seal("a secret of forty letters, as AWS has it")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unreadable):
            box.unseal(PLACE, bytes(altered), KEY)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_nothing_that_we_did_not_seal_opens(junk: bytes) -> None:
    with pytest.raises(Unreadable):
        box.unseal(PLACE, junk, KEY)


def test_a_part_of_a_ciphertext_does_not_open() -> None:
    sealed = seal()
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            box.unseal(PLACE, sealed[:length], KEY)


def test_another_private_key_opens_nothing() -> None:
    with pytest.raises(Unreadable):
        box.unseal(PLACE, seal(), X25519PrivateKey.generate())


def test_the_same_secret_is_never_sealed_the_same_way() -> None:
    assert len({seal() for _ in range(20)}) == 20
