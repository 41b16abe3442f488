"""A worker's signing key, and orders made with it."""

import base64
import json
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONTEXT = b"mailat-desired-v1\n"  # written out again, from the protocol: the tests do not ask the agent


@dataclass
class Signer:
    """Signs as a worker does, under the name that the agent's configuration gives its key."""

    name: str = "2026-a"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, body: str, context: bytes = CONTEXT) -> dict[str, object]:
        signature = self.key.sign(context + body.encode())
        return {"body": body, "key": self.name, "signature": base64.b64encode(signature).decode()}

    def order(self, server: str, version: int, **changes: object) -> dict[str, object]:
        return self.sign(body(server, version, **changes))


def body(server: object, version: object, **changes: object) -> str:
    """The canonical text of an order, with fields changed or (by None) left out."""
    fields = {
        "server": server,
        "version": version,
        "issued": "2026-11-21T12:00:00Z",
        "hostname": "alice.mailat.test",
        "services": ["ssh.service", "postfix.service"],
        "poll_max": 60,
        **changes,
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def mail(**changes: object) -> dict[str, object]:
    """What is wanted of a small mail system: Alice's, without a way out."""
    return {
        "domains": [{"name": "firm.test", "catch_all": None, "mta_sts": "none"}],
        "mailboxes": [mailbox("alice@firm.test")],
        "aliases": [],
        "relay": None,
        "acme": {"directory": "https://acme.test/dir", "contact": ""},
        "canary_every": 300,
        "reboot": {"days": [5, 6], "hour": 3, "hours": 2},
        **changes,
    }


def mailbox(address: str, **changes: object) -> dict[str, object]:
    """A mailbox that nobody can sign in to; the same address is the same owner, unless `id` says otherwise."""
    return {
        "id": str(uuid5(NAMESPACE_URL, address)),
        "address": address,
        "name": "",
        "password": None,
        "app_passwords": [],
        "quota": 2**30,
        "suspended": False,
        "per_hour": 100,
        "per_day": 500,
        "forward": [],
        "keep_copy": True,
        "vacation": None,
        "releases": 0,
        **changes,
    }
