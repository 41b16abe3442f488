"""What the control plane sealed to this host for its mail system."""

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ..hpke import CannotOpen, decapsulated, opened, schedule

__all__ = ["RELAY", "CannotOpen", "decapsulated", "opened", "relay_password", "schedule"]

RELAY = (
    b"mailat-relay-v1\n"  # then the server's UUID: so that nothing sealed for another purpose or server opens
)


def relay_password(key: X25519PrivateKey, server: str, sealed: str) -> str:
    """The SMTP password of the customer's way out; raises CannotOpen."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return opened(key, RELAY + server.encode("ascii"), raw).decode("ascii")
    except (ValueError, binascii.Error):
        raise CannotOpen from None
