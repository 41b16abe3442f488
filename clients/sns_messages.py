"""Whether a message that says it is from Amazon's SNS really is: its form, its age, its certificate and its signature.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Whoever calls remembers the MessageIds
and refuses the second of a kind: SNS sends again what was not answered, with the same id, and so does somebody who recorded it.
"""

import base64
import binascii
import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from clients.errors import ClientError, Refused, TryLater

MOST_BYTES = 512 * 1024  # a message has at most 256 KiB of text, which JSON may double
MOST_CERTIFICATE = 64 * 1024
TIMEOUT = (3.0, 5.0)  # seconds to connect and to read
OLDEST, EARLIEST = (
    timedelta(hours=1),
    timedelta(minutes=5),
)  # SNS repeats for less than an hour; clocks differ
CACHED = 32  # certificates
FILE = re.compile(r"SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOPIC = re.compile(r"arn:aws:sns:([a-z0-9-]{6,32}):(\d{12}):([A-Za-z0-9_-]{1,256})")
# The second where a region has to be enabled before it is used.
SIGNERS = ("sns.amazonaws.com", "sns-signing.{region}.amazonaws.com")
HASHES: dict[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}  # by SignatureVersion
FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
OPTIONAL = {"Subject"}


class NotFromSns(Refused):
    """Nothing may be done because of this message; `code` is malformed, old, certificate or forged."""


@dataclass(frozen=True)
class Notice:
    """A message that SNS has signed; `text` is its Message, `token` only stands in one that asks to agree or tells of an end."""

    id: str
    kind: str
    topic: str
    text: str
    at: datetime
    subject: str = ""
    token: str = ""

    @property
    def account(self) -> str:
        return self.topic.split(":")[4]


def verify(body: bytes, *, now: datetime | None = None, base: str = "") -> Notice:
    """The message, if SNS signed it within the last hour. Raises NotFromSns with the reason.

    Where the certificate cannot be fetched just now TryLater is raised: answered with an error, SNS sends the message again.
    `base` is a stand-in's address, whose certificates are taken instead of Amazon's.
    """
    told = _read(body)
    at = _moment(told["Timestamp"])
    if not -EARLIEST <= (now or datetime.now(UTC)) - at <= OLDEST:
        raise NotFromSns("the message is too old, or from the future", code="old")
    region = _region(told["TopicArn"])
    key = _certificates.key(_place(told["SigningCertURL"], region, base), region, at)
    _check(key, told)
    return Notice(
        told["MessageId"],
        told["Type"],
        told["TopicArn"],
        told["Message"],
        at,
        told.get("Subject", ""),
        told.get("Token", ""),
    )


def signed_text(told: dict[str, str]) -> bytes:
    """What the signature is over: names and values of some fields, a line each, in the order of the names."""
    return "".join(f"{name}\n{told[name]}\n" for name in FIELDS[told["Type"]] if name in told).encode()


def _read(body: bytes) -> dict[str, str]:
    """The fields that count, all of them texts; a signed form has no others."""
    if len(body) > MOST_BYTES:
        raise _malformed("the message is too long")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("the message is not JSON") from None
    kind = told.get("Type") if isinstance(told, dict) else None
    fields = FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise _malformed("the message has no type of SNS's")
    return _texts(told, (*fields, "Signature", "SignatureVersion", "SigningCertURL"))


def _texts(told: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """One line each but for the text itself: with more, what was signed could be cut anew, and a replay get another id."""
    for name in names:
        if name in OPTIONAL and told.get(name) is None:
            continue
        if not isinstance(told.get(name), str) or not told[name]:
            raise _malformed(f"{name} is missing")
        if name != "Message" and "\n" in told[name]:
            raise _malformed(f"{name} has more than one line")
    if not ID.fullmatch(told["MessageId"]):
        raise _malformed("MessageId is none")
    return {name: told[name] for name in names if told.get(name) is not None}


def _malformed(says: str) -> NotFromSns:
    return NotFromSns(says, code="malformed")


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("Timestamp is no moment") from None


def _region(topic: str) -> str:
    found = TOPIC.fullmatch(topic)
    if not found:
        raise _malformed("TopicArn is no topic")
    return found[1]


def _place(url: str, region: str, base: str) -> str:
    """The address, if it is one of SNS's certificates in the topic's own region; nothing else of the message's is fetched."""
    own = base.rstrip("/") or f"https://sns.{region}.amazonaws.com"
    head, slash, file = url.rpartition("/")
    if head + slash != f"{own}/" or not FILE.fullmatch(file):
        raise NotFromSns("the certificate is not at SNS's address", code="certificate")
    return url


def _check(key: rsa.RSAPublicKey, told: dict[str, str]) -> None:
    kind = HASHES.get(told["SignatureVersion"])
    if kind is None:
        raise _malformed("SignatureVersion is neither 1 nor 2")
    try:
        signature = base64.b64decode(told["Signature"], validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("Signature is not base64") from None
    try:
        key.verify(signature, signed_text(told), padding.PKCS1v15(), kind())
    except InvalidSignature:
        raise NotFromSns("the signature is not SNS's", code="forged") from None


class Certificates:
    """The last certificates that were fetched; each is looked at again when it is used, for it ends one day."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, x509.Certificate] = OrderedDict()
        self._lock = threading.Lock()

    def key(self, url: str, region: str, at: datetime) -> rsa.RSAPublicKey:
        """The public key at this address; raises NotFromSns where it is no certificate of SNS's at that moment."""
        with self._lock:
            found = self._kept.get(url)
        found = found or _fetched(url)
        key = _key(found, region, at)
        with self._lock:
            self._kept[url] = found
            self._kept.move_to_end(url)
            while len(self._kept) > CACHED:
                self._kept.popitem(last=False)
        return key

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


_certificates = Certificates()


def _key(certificate: x509.Certificate, region: str, at: datetime) -> rsa.RSAPublicKey:
    """Its chain ends at an authority that it does not bring along: that it is Amazon's is shown by the TLS of the address.

    Whom it names is as in Amazon's own library: https://github.com/aws/aws-sdk-java-v2, services-custom/sns-message-manager.
    """
    names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    key = certificate.public_key()
    named = len(names) == 1 and names[0] in [one.format(region=region) for one in SIGNERS]
    if not named or not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise NotFromSns("the certificate is not SNS's", code="certificate")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotFromSns("the certificate was not valid then", code="certificate")
    return key


def _fetched(url: str) -> x509.Certificate:
    try:
        pem = _download(url)
    except requests.RequestException as error:
        name = type(error).__name__
        raise TryLater(
            f"SNS's certificate could not be fetched ({name})", code="network", retry_after=20
        ) from None
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise NotFromSns("there is no certificate at that address", code="certificate") from None


def _download(url: str) -> bytes:
    with requests.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
        if answer.status_code != 200:
            raise _no_certificate(answer.status_code)
        pem = b""
        for part in answer.iter_content(8192):
            pem += part
            if len(pem) > MOST_CERTIFICATE:
                raise NotFromSns("the certificate is too long", code="certificate")
        return pem


def _no_certificate(status: int) -> ClientError:
    if status >= 500 or status in (408, 429):
        return TryLater(f"SNS's certificate is not to be had ({status})", code=str(status), retry_after=20)
    return NotFromSns("there is no certificate at that address", code="certificate")
