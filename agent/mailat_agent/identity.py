"""Who this agent is: a secret it made itself, and a key to which others may seal secrets."""

import base64
import contextlib
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from .files import write_whole

FILE = "identity.json"


class IdentityError(Exception):
    """The identity on disk cannot be used; the text repeats nothing of it."""


@dataclass(frozen=True, repr=False)
class Identity:
    """The bearer secret (64 hex digits, 256 bits) and the private X25519 key; neither ever leaves the host."""

    secret: str
    seal: X25519PrivateKey

    @property
    def key(self) -> str:
        """SHA-256, in hex, of the secret's ASCII text: all that the control plane keeps of it."""
        return hashlib.sha256(self.secret.encode("ascii")).hexdigest()

    @property
    def seal_key(self) -> str:
        """The raw public X25519 key in base64."""
        return base64.b64encode(self.seal.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def load_or_make(state: Path) -> Identity:
    """The identity of this host, durable before anybody hears of it, so that a retry is the same agent."""
    path = state / FILE
    with contextlib.suppress(FileNotFoundError):
        return _load(path)
    identity = Identity(secrets.token_hex(32), X25519PrivateKey.generate())
    write_whole(path, _text(identity))
    return identity


def _load(path: Path) -> Identity:
    try:
        fields = json.loads(path.read_text(encoding="ascii"))
        secret, seal = str(fields["secret"]), base64.b64decode(fields["seal"], validate=True)
        if len(bytes.fromhex(secret)) != 32:
            raise ValueError
        return Identity(secret, X25519PrivateKey.from_private_bytes(seal))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IdentityError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise IdentityError(f"{path} is damaged; this agent cannot prove who it is") from None


def _text(identity: Identity) -> str:
    raw = identity.seal.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return json.dumps({"secret": identity.secret, "seal": base64.b64encode(raw).decode()}) + "\n"
