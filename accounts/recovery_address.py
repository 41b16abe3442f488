"""A second address that says yes or no when somebody has lost their second factor."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import letters, recovery, tokens
from accounts.actions import record_for_accounts, tidy
from accounts.models import User
from accounts.open import RecoveryAddress

CONFIRM = "recovery_address.confirm"


class NotApart(ValueError):
    """A second address that is the first one is none."""


class RecoveryOpen(ValueError):
    """While somebody is recovering the way in, what that needs stays as it was."""


def confirmed(user: User) -> RecoveryAddress | None:
    return RecoveryAddress.objects.filter(user=user, removed_at=None).exclude(confirmed_at=None).first()


def apart(user: User) -> str:
    """The confirmed one, unless the person's own address has become the same: one mailbox would be both ends."""
    row = confirmed(user)
    return row.email if row and row.email != user.email else ""


def asked(user: User) -> RecoveryAddress | None:
    """One that has still to be confirmed."""
    now = timezone.now()
    return RecoveryAddress.objects.filter(
        user=user, removed_at=None, confirmed_at=None, expires_at__gt=now
    ).first()


@transaction.atomic
def ask(*, user: User, email: str, by: str) -> RecoveryAddress:
    """Sends a link to the address; the one that counted before counts until that is confirmed. Raises NotApart, RecoveryOpen."""
    user = User.objects.select_for_update().get(pk=user.pk)
    email = tidy(email)
    if email == user.email:
        raise NotApart(email)
    _must_be_quiet(user)
    now = timezone.now()
    RecoveryAddress.objects.filter(user=user, removed_at=None, confirmed_at=None).update(removed_at=now)
    row = RecoveryAddress.objects.create(
        user=user, email=email, expires_at=now + settings.ADDRESS_CHANGE_LIFE
    )
    record_for_accounts("recovery_address.asked", user, by=by)
    words: dict[str, Any] = {"of": user.email, "until_at": row.expires_at, "address": row.pk}
    letters.post("recovery_address_confirm", to=email, key=f"recovery_address_confirm:{row.pk}", **words)
    return row


def _must_be_quiet(user: User) -> None:
    if recovery.begun(user):
        raise RecoveryOpen(user.email)


def way(context: dict[str, Any]) -> str:
    """Where the letter leads; nothing once that address was confirmed, removed or is too late."""
    open_ones = RecoveryAddress.objects.filter(
        removed_at=None, confirmed_at=None, expires_at__gt=timezone.now()
    )
    row = open_ones.filter(pk=UUID(context["address"])).first()
    return f"/recovery-address/{row.pk}/{tokens.way_of(CONFIRM, str(row.pk))}" if row else ""


def read(pk: UUID, token: str) -> RecoveryAddress | None:
    """The row that a link of ours is about."""
    right = tokens.is_way(CONFIRM, str(pk), token)
    return RecoveryAddress.objects.select_related("user").filter(pk=pk).first() if right else None


def is_open(row: RecoveryAddress) -> bool:
    return not (row.confirmed_at or row.removed_at) and row.expires_at > timezone.now()


@transaction.atomic
def confirm(*, row: RecoveryAddress) -> bool:
    """Its reader says yes, and it takes the place of the one before; False if that is of no use any more."""
    user = User.objects.select_for_update().get(pk=row.user_id)
    row.refresh_from_db()
    if not is_open(row) or user.email == row.email or recovery.begun(user):
        return False
    _take_away(user, "letter")
    row.confirmed_at = timezone.now()
    row.save(update_fields=["confirmed_at"])
    record_for_accounts("recovery_address.set", user, by="letter")
    _tell(user, row, "set")
    return True


@transaction.atomic
def remove(*, user: User, by: str) -> bool:
    """Also what was asked and not confirmed; False if there was nothing. Raises RecoveryOpen."""
    user = User.objects.select_for_update().get(pk=user.pk)
    _must_be_quiet(user)
    waiting = RecoveryAddress.objects.filter(user=user, removed_at=None, confirmed_at=None)
    gone = waiting.update(removed_at=timezone.now())
    return bool(_take_away(user, by) or gone)


def drop_same(*, user: User, by: str) -> bool:
    """To be told when a person's own address has changed: it cannot be the second as well. True if that had counted."""
    same = RecoveryAddress.objects.filter(user=user, email=user.email, removed_at=None)
    counted = same.exclude(confirmed_at=None).exists()
    if same.update(removed_at=timezone.now()):
        record_for_accounts("recovery_address.removed", user, by=by)
    return counted


def _take_away(user: User, by: str) -> bool:
    before = confirmed(user)
    if before is None:
        return False
    recovery.end_open(user=user, by=by)
    before.removed_at = timezone.now()
    before.save(update_fields=["removed_at"])
    record_for_accounts("recovery_address.removed", user, by=by)
    _tell(user, before, "removed")
    return True


def _tell(user: User, row: RecoveryAddress, what: str) -> None:
    """Both addresses hear of it."""
    words: dict[str, Any] = {"what": what, "of": user.email, "second": row.email, "url": "/account/recovery"}
    for end, to in (("first", user.email), ("second", row.email)):
        letters.post(
            "recovery_address_changed", to=to, key=f"recovery_address:{row.pk}:{what}:{end}", **words
        )
