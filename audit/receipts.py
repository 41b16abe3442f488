"""Signed evidence that anybody can check without us and without our database."""

import json
import uuid
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit.actions import plain
from audit.models import Receipt

PURPOSE = "receipt"
HOW_TO_CHECK = (
    "Run bin/verify-receipt THIS-FILE --keys {keys}. Or by hand: the signature is Ed25519 (RFC 8032) over the "
    "line “mailat-receipt-v1”, a line feed, and the text in “receipt” as UTF-8; bin/verify-receipt --help shows "
    "how to do it with openssl."
)


class Signature(Protocol):
    """What a signer gives: the id of its public key, and the signature in base64."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str: ...


def issue(
    *, account: UUID, subject: str, facts: dict[str, Any], sign: Callable[[str, str], Signature]
) -> Receipt:
    """Signs the facts and keeps them; a subject has one receipt, and asking again gives the same."""
    standing = Receipt.objects.filter(subject=subject).first()
    return standing or _issue(Receipt(account_id=account, subject=subject), facts, sign)


def _issue(receipt: Receipt, facts: dict[str, Any], sign: Callable[[str, str], Signature]) -> Receipt:
    receipt.id, receipt.issued_at = uuid.uuid4(), timezone.now()
    receipt.text = _text(receipt, facts)
    signature = sign(PURPOSE, receipt.text)
    receipt.key, receipt.signature = signature.key, signature.value
    Receipt.objects.bulk_create([receipt], ignore_conflicts=True)
    return Receipt.objects.get(subject=receipt.subject)


def _text(receipt: Receipt, facts: dict[str, Any]) -> str:
    """JSON in one form only, which people can read: sorted names, two spaces, UTF-8."""
    about = {
        "receipt": str(receipt.id),
        "account": str(receipt.account_id),
        "subject": receipt.subject,
        "issued": receipt.issued_at.isoformat(timespec="seconds"),
        "facts": plain(facts),
    }
    return json.dumps(about, sort_keys=True, indent=2, ensure_ascii=False)


def as_file(receipt: Receipt) -> bytes:
    """The receipt as a JSON document to keep."""
    keys = f"{settings.BASE_URL}/.well-known/mailat-signing-keys"
    document = {
        "receipt": receipt.text,
        "key": receipt.key,
        "signature": receipt.signature,
        "how_to_check": HOW_TO_CHECK.format(keys=keys),
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
