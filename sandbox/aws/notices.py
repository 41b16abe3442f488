"""Messages as SNS signs them. Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import json
import pathlib
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.internet.files import locked, write_whole

if TYPE_CHECKING:
    from sandbox.aws.cloud import Cloud

LASTS = datetime.timedelta(days=400)
HASHES: dict[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
NOTE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
QUESTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Signer:
    """A key and its certificate, made at first use and kept below `home`."""

    def __init__(self, home: pathlib.Path) -> None:
        place = home / "internet" / "sns"
        with locked(place / "lock"):
            if not (place / "sns.pem").exists():
                _make(place)
        key = serialization.load_pem_private_key((place / "sns.key").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the sandbox's SNS has a key of another kind")
        self._key, self.pem = key, (place / "sns.pem").read_bytes()

    @property
    def file(self) -> str:
        """The certificate's name below the API's address."""
        return f"SimpleNotificationService-{hashlib.sha256(self.pem).hexdigest()[:32]}.pem"

    def signed(self, told: dict[str, str], version: str) -> str:
        """Base64, over names and values in the vendor's order."""
        names = NOTE if told["Type"] == "Notification" else QUESTION
        text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), HASHES[version]())).decode()


def _make(place: pathlib.Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins)
    certificate = builder.not_valid_after(begins + LASTS).sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_whole(place / "sns.key", key.private_bytes(serialization.Encoding.PEM, *form), mode=0o600)
    write_whole(place / "sns.pem", certificate.public_bytes(serialization.Encoding.PEM))


@functools.lru_cache(maxsize=4)
def signer_of(home: pathlib.Path) -> Signer:
    """Kept, because a key is tried for its soundness whenever it is read."""
    return Signer(home)


def ask(cloud: Cloud, subscription: dict[str, Any], url: str) -> None:
    """Asks an endpoint whether it agrees."""
    topic = subscription["topic"]
    wish = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": subscription["token"]})
    told = {
        "Type": "SubscriptionConfirmation",
        "Message": f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the"
        " SubscribeURL included in this message.",
        "SubscribeURL": f"{url}/?{wish}",
        "Token": subscription["token"],
    }
    _keep(cloud, subscription, told, url)


def publish(cloud: Cloud, topic: str, text: str, url: str, subject: str = "") -> int:
    """Tells everybody who agreed; how many these are."""
    agreed = [one for one in cloud.topics.subscriptions(topic) if one["confirmed"]]
    number = str(uuid.uuid4())
    told = {
        "Type": "Notification",
        "MessageId": number,
        "Message": text,
        **({"Subject": subject} if subject else {}),
    }
    for one in agreed:
        wish = urlencode({"Action": "Unsubscribe", "SubscriptionArn": one["arn"]})
        _keep(cloud, one, told, url, UnsubscribeURL=f"{url}/?{wish}")
    return len(agreed)


def _keep(
    cloud: Cloud, subscription: dict[str, Any], told: dict[str, str], url: str, **unsigned: str
) -> None:
    signer, version = signer_of(cloud.home), cloud.topics.get(subscription["topic"])["version"]
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    whole = {"MessageId": str(uuid.uuid4()), **told, "TopicArn": subscription["topic"], "Timestamp": at}
    proof = {
        "SignatureVersion": version,
        "Signature": signer.signed(whole, version),
        "SigningCertURL": f"{url}/{signer.file}",
    }
    body = json.dumps({**whole, **proof, **unsigned}, indent=2)
    cloud.topics.keep(subscription, told["Type"], whole["MessageId"], body)
