"""What can be said of a pasted key before anybody is asked, and the SMTP password that follows from a secret."""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from clients.aws_errors import MalformedKey, TemporaryKey

KEY = re.compile(r"AKIA[A-Z0-9]{12,124}")
TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}")
SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
INSIDE = re.compile(r"\s|[\u200b-\u200d\u2060\ufeff]")  # white space, and what is copied along and not seen
SMTP_VERSIONS = (2, 4)  # the first byte of an SMTP password, of the old kind and of the one in use
SMTP_BYTES = 33
SIGNED = ("ses", "aws4_request", "SendRawEmail")
DATE = "11111111"


@dataclass(frozen=True)
class Credentials:
    """A long-term key of an IAM user, and the region in which it is used; its repr shows no secret."""

    access_key: str
    secret: str = field(repr=False)
    region: str


def check(access_key: str, secret: str) -> None:
    """Refuses what cannot be a long-term key, by the reason; raises TemporaryKey or MalformedKey, with a `code` of CODES."""
    if _is_secret(access_key) and KEY.fullmatch(secret):
        raise MalformedKey("key and secret stand the other way round", code="swapped")
    check_key(access_key)
    check_secret(secret)


def check_key(access_key: str) -> None:
    """The half that is no secret; raises TemporaryKey or MalformedKey."""
    if TEMPORARY.fullmatch(access_key):
        raise TemporaryKey("the key is a temporary one", code="temporary")
    if not KEY.fullmatch(access_key):
        raise MalformedKey("this is no access key", code=_like_a_key(access_key))


def check_secret(secret: str) -> None:
    """The other half; raises MalformedKey."""
    if not SECRET.fullmatch(secret):
        raise MalformedKey("this is no secret access key", code=_like_a_secret(secret))


CODES = (
    "temporary",
    "swapped",
    "no_key",
    "space_in_key",
    "secret_as_key",
    "key",
    "no_secret",
    "space_in_secret",
    "smtp_password",
    "key_as_secret",
    "secret",
)


def _like_a_key(text: str) -> str:
    if not text:
        return "no_key"
    if INSIDE.search(text):
        return "space_in_key"
    return "secret_as_key" if _is_secret(text) else "key"


def _like_a_secret(text: str) -> str:
    if not text:
        return "no_secret"
    if INSIDE.search(text):
        return "space_in_secret"
    if is_smtp_password(text):
        return "smtp_password"
    return "key_as_secret" if KEY.fullmatch(text) or TEMPORARY.fullmatch(text) else "secret"


def _is_secret(text: str) -> bool:
    """A key's id may have forty letters too, and begins with its kind."""
    return bool(SECRET.fullmatch(text)) and not KEY.fullmatch(text)


def is_smtp_password(text: str) -> bool:
    """Whether it has the form of what Amazon's console shows as an SMTP password."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == SMTP_BYTES and raw[0] in SMTP_VERSIONS


def smtp_password(secret: str, region: str) -> str:
    """44 letters, for this region only. Source: https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html."""
    key = f"AWS4{secret}".encode()
    for word in (DATE, region, *SIGNED):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + key).decode()
