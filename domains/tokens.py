"""The secret of an invitation's link. It is kept nowhere: a row holds its hash, and the worker that writes the letter derives it anew."""

import hashlib
from uuid import UUID

from django.utils.crypto import salted_hmac


def token_of(invitation: UUID) -> str:
    """What stands in the link's address: 256 bits in hexadecimal, which only a holder of SECRET_KEY can derive."""
    return salted_hmac("domains.invitation", str(invitation), algorithm="sha256").hexdigest()


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
