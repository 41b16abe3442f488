"""What is kept of a password is what Dovecot checks, and no two are alike."""

import base64
import hashlib
import re

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from agent.mailat_agent.mail import state
from domains import hashes, passwords
from domains.models import Domain, Mailbox
from domains.refusals import BadPassword
from tests.domains.conftest import PASSWORD

ANNA = Mailbox(domain=Domain(name="herons.example"), local="anna.smith", name="Anna Smith")


def test_a_persons_password_is_kept_by_argon2id() -> None:
    kept = hashes.of_password(PASSWORD)
    scheme, encoded = kept[:10], kept[10:]
    assert scheme == "{ARGON2ID}"
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().verify(encoded, PASSWORD)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(encoded, PASSWORD + " ")
    assert hashes.of_password(PASSWORD) != kept
    assert state.HASH.fullmatch(kept)
    assert len(kept) <= Mailbox._meta.get_field("password").max_length


def test_an_app_password_is_kept_with_its_salt_behind_it() -> None:
    secret = hashes.new_app_password()
    kept = hashes.of_app_password(secret)
    raw = base64.b64decode(kept.removeprefix("{SSHA512}"))
    assert raw[:64] == hashlib.sha512(secret.encode() + raw[64:]).digest()
    assert len(raw[64:]) == 16
    assert hashes.of_app_password(secret) != kept
    assert state.HASH.fullmatch(kept)


def test_app_passwords_are_easy_to_copy_and_hard_to_guess() -> None:
    made = {hashes.new_app_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", one) for one in made)
    assert not set("".join(made)) & set("01ilo")
    assert set(hashes.ALPHABET) <= set("".join(made))


@pytest.mark.parametrize("password", [PASSWORD, "Ünïcode ist auch gut", "x7!kQ" * 3, "correct horse battery"])
def test_a_good_password_passes(password: str) -> None:
    passwords.check(password, ANNA)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 12"),
        ("short one 1", "at least 12"),
        ("x" * 201, "at most 200"),
        ("qwertyuiop123", "Many people"),
        ("123456789012345", "Digits alone|Many people"),
        ("907364518273645", "Digits alone"),
        ("anna.smith@herons.example", "too much like"),
        ("herons.example", "too much like"),
        ("Anna Smith 1", "too much like"),
        (" seven wet herons", "neither begins nor ends"),
        ("seven wet herons ", "neither begins nor ends"),
        ("seven\nwet herons", "cannot send"),
        ("seven\x00wet herons", "cannot send"),
        ("seven\ud800wet herons", "cannot send"),
    ],
)
def test_a_bad_password_is_told_what_is_wrong_with_it(password: str, words: str) -> None:
    with pytest.raises(BadPassword, match=words) as caught:
        passwords.check(password, ANNA)
    assert caught.value.field == "password"
    if password:
        assert password not in str(caught.value)
