"""A signer of one's own and the place of its certificate, so that every kind of message can be made."""

import base64
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-central-1:123456789012:mailat-sending"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STAMP = "2026-11-21T12:00:00.000Z"
HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}


def certificate(
    key: Any, *, name: str = "sns.amazonaws.com", begins: datetime = NOW, days: int = 400
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins - timedelta(days=2))
    return (
        builder.not_valid_after(begins + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


class Forge:
    """Signs what it is told; `served` is what each path answers, and `asked` which were asked for."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.served: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        self.url = self.serve(certificate(self.key))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                forge.asked.append(self.path)
                status, body = forge.served.get(self.path, (404, b""))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", body.decode())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def serve(self, body: bytes, status: int = 200) -> str:
        """Where it lies from now on."""
        path = f"/SimpleNotificationService-{uuid.uuid4().hex}.pem"
        self.served[path] = (status, body)
        return self.base + path

    def told(self, **fields: Any) -> dict[str, Any]:
        return {
            "Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": TOPIC, "Subject": "Amazon SES Email Event",
            "Message": '{"eventType": "Bounce"}\n', "Timestamp": STAMP, "SignatureVersion": "2", "SigningCertURL": self.url,
            "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe", **fields,
        }  # fmt: skip

    def question(self, **fields: Any) -> dict[str, Any]:
        more = {
            "Type": "SubscriptionConfirmation",
            "Token": "23",
            "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?x",
        }
        asked = self.told(**more, **fields)
        asked.pop("Subject")
        return asked

    def sign(self, told: dict[str, Any], key: Any = None) -> bytes:
        text = canonical(told).encode()
        kind = HASHES.get(told["SignatureVersion"], hashes.SHA256)()
        key = key or self.key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(text, ec.ECDSA(kind))
        else:
            signature = key.sign(text, padding.PKCS1v15(), kind)
        return json.dumps({**told, "Signature": base64.b64encode(signature).decode()}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def canonical(told: dict[str, Any]) -> str:
    """Written down by hand from the vendor's page, apart from the code that is tested."""
    if told["Type"] == "Notification":
        names = [
            "Message",
            "MessageId",
            *(["Subject"] if told.get("Subject") else []),
            "Timestamp",
            "TopicArn",
            "Type",
        ]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    return "".join(f"{name}\n{told[name]}\n" for name in names)
