"""Writing letters: a row in the caller's transaction, so that a letter is owed exactly if what it tells of is true."""

import hashlib
import json
from typing import Any, cast
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import Account, Letter, Membership
from accounts.programs import SendLetter
from engine import actions as engine

KEY_LENGTH = 160


def post(kind: str, *, to: str, key: str, account: Account | UUID | None = None, **context: object) -> Letter:
    """Writes the letter and has it sent; the same key again is the same letter. `context` must hold no secret."""
    fresh = Letter(
        kind=kind,
        to=to.strip().lower(),
        key=fitting(key),
        account_id=account.pk if isinstance(account, Account) else account,
        context=_plain(context),
    )
    Letter.objects.bulk_create([fresh], ignore_conflicts=True)
    letter = Letter.objects.get(key=fresh.key)
    if letter.pk == fresh.pk:
        engine.start(SendLetter, subject=f"letter:{letter.pk}")
    return letter


def to_owners(account: Account, kind: str, *, key: str, **context: object) -> list[Letter]:
    """The same letter to each owner of the account."""
    return [
        post(kind, to=address, key=f"{key}:{address}", account=account, **context)
        for address in owners(account)
    ]


def owners(account: Account) -> list[str]:
    """The addresses of those who answer for the account and may sign in."""
    found = Membership.objects.filter(account=account, role=Membership.Role.OWNER, user__is_active=True)
    return list(found.order_by("since", "pk").values_list("user__email", flat=True))


def fitting(key: str) -> str:
    """The key, with its end replaced by a hash where it is too long for its column."""
    if len(key) <= KEY_LENGTH:
        return key
    return key[: KEY_LENGTH - 65] + ":" + hashlib.sha256(key.encode()).hexdigest()


def _plain(context: dict[str, object]) -> dict[str, Any]:
    """Moments and ids as text."""
    return cast(dict[str, Any], json.loads(json.dumps(context, cls=DjangoJSONEncoder)))
