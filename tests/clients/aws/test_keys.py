"""What can be said of a pasted key before anybody is asked."""

import base64

import pytest

from clients.aws_errors import MalformedKey, TemporaryKey
from clients.aws_keys import CODES, Credentials, check, is_smtp_password, smtp_password

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def test_the_smtp_password_is_the_vendors_own_example():
    password = smtp_password(SECRET, "us-east-1")
    assert password == "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"
    assert smtp_password(SECRET, "eu-central-1") != password


def test_a_long_term_key_passes():
    check(KEY, SECRET)


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        (KEY, smtp_password(SECRET, "eu-west-1"), "smtp_password"),
        (KEY, base64.b64encode(b"\x02" + b"x" * 32).decode(), "smtp_password"),
        (KEY, SECRET[:-1], "secret"),
        (KEY, SECRET + "x", "secret"),
        (KEY, SECRET[:-1] + "-", "secret"),
        (KEY, "", "no_secret"),
        (KEY, KEY, "key_as_secret"),
        (KEY, "ASIAIOSFODNN7EXAMPLE", "key_as_secret"),
        (KEY, SECRET + "\n", "space_in_secret"),
        (KEY, f"{SECRET[:20]}\r\n{SECRET[20:]}", "space_in_secret"),
        (KEY, f"{SECRET[:20]}\u200b{SECRET[20:]}", "space_in_secret"),
        (SECRET, KEY, "swapped"),
        (SECRET, SECRET, "secret_as_key"),
        (SECRET, "", "secret_as_key"),
        ("", SECRET, "no_key"),
        ("AIDAIOSFODNN7EXAMPLE", SECRET, "key"),
        (KEY.lower(), SECRET, "key"),
        (KEY + "\n", SECRET, "space_in_key"),
        ("AKIA IOSFODNN7EXAMPLE", SECRET, "space_in_key"),
        ("AKIAIOSF\u00a0ODNN7EXAMPLE", SECRET, "space_in_key"),
    ],
)
def test_what_is_no_key_is_told_what_it_looks_like(key, secret, code):
    with pytest.raises(MalformedKey) as caught:
        check(key, secret)
    assert caught.value.code == code
    assert code in CODES
    assert not secret or secret not in f"{caught.value!r}{caught.value.__dict__}"


def test_a_key_of_forty_letters_is_no_secret():
    check("AKIA" + "A" * 36, SECRET)


def test_a_temporary_key_is_refused_for_what_it_is():
    with pytest.raises(TemporaryKey) as caught:
        check("ASIAIOSFODNN7EXAMPLE", SECRET)
    assert caught.value.code in CODES


@pytest.mark.parametrize("text", ["", "B" * 43, "é" * 44, base64.b64encode(b"\x05" + b"x" * 32).decode()])
def test_other_texts_are_no_smtp_passwords(text):
    assert not is_smtp_password(text)


def test_a_secret_is_in_no_repr():
    assert SECRET not in repr(Credentials(KEY, SECRET, "eu-central-1"))
