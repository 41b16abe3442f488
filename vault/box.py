"""One secret sealed: HPKE (RFC 9180) in base mode, bound to whose it is, what it is for, of what, and to its own row."""

from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.views.decorators.debug import sensitive_variables

from vault.errors import Unreadable
from vault.sealing import SUITE

LABEL = b"mailat-vault-v1"
OVERHEAD = 32 + 16  # bytes: the encapsulated key before the ciphertext, the tag behind it


@dataclass(frozen=True)
class Place:
    """Where a ciphertext belongs; anywhere else it does not open."""

    secret: UUID
    account: UUID
    purpose: str
    subject: str

    def info(self) -> bytes:
        """The same bytes for the same place only: each part stands behind its length."""
        parts = (str(self.account), self.purpose, self.subject, str(self.secret))
        return LABEL + b"".join(b"%d:%s," % (len(part), part) for part in map(str.encode, parts))


@sensitive_variables()
def seal(place: Place, text: str, key: X25519PublicKey) -> bytes:
    return SUITE.encrypt(text.encode(), key, info=place.info())


@sensitive_variables()
def unseal(place: Place, sealed: bytes, key: X25519PrivateKey) -> str:
    """The text again. Raises Unreadable."""
    try:
        return SUITE.decrypt(sealed, key, info=place.info()).decode()
    except (InvalidTag, ValueError):
        raise Unreadable("the ciphertext was not made for this row, or was altered") from None
