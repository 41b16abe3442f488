"""What may be done about passkeys, codes of an app and recovery codes; each is written down and told by letter."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import letters, passkeys
from accounts.actions import record_for_accounts
from accounts.mfa import Adapter, Type, has_second_factor, period_of
from accounts.models import User


class Enough(ValueError):
    """A person can have only so many."""


@transaction.atomic
def add_passkey(*, user: User, name: str, made: dict[str, Any], by: str) -> Authenticator:
    """`made` is what passkeys.check_new keeps. Raises Enough."""
    rows = _locked(user)
    if rows.filter(type=Type.WEBAUTHN).count() >= passkeys.MOST:
        raise Enough(f"At most {passkeys.MOST} passkeys.")
    row = Authenticator.objects.create(user=user, type=Type.WEBAUTHN, data=made | {"name": name})
    _tell("key.added", "key_added", row, by)
    return row


@transaction.atomic
def add_app(*, user: User, secret: str, code: str, by: str) -> Authenticator | None:
    """The app counts once it has shown a code of the secret; None if the code is not right or there is an app."""
    period = period_of(secret, code)
    if not period or _locked(user).filter(type=Type.TOTP).exists():
        return None
    data = {"secret": Adapter().encrypt(secret), "period": period}
    row = Authenticator.objects.create(user=user, type=Type.TOTP, data=data)
    _tell("key.added", "key_added", row, by)
    return row


@transaction.atomic
def rename(*, user: User, pk: int, name: str, by: str) -> bool:
    """False if the person has no such passkey."""
    row = _locked(user).filter(pk=pk, type=Type.WEBAUTHN).first()
    if row is None:
        return False
    row.data["name"] = name
    row.save(update_fields=["data"])
    record_for_accounts("key.renamed", user, by=by, kind=row.type, key=row.pk)
    return True


@transaction.atomic
def remove(*, user: User, pk: int, by: str) -> bool:
    """The recovery codes go with the last factor, for alone they are none; False if there is no such factor."""
    row = _locked(user).filter(pk=pk).exclude(type=Type.RECOVERY_CODES).first()
    if row is None:
        return False
    _tell("key.removed", "key_removed", row, by)
    row.delete()
    if not has_second_factor(user):
        Authenticator.objects.filter(user=user).delete()
    return True


@transaction.atomic
def make_codes(*, user: User, by: str) -> list[str]:
    """New recovery codes in place of all earlier ones; none for whoever has no second factor."""
    rows = _locked(user)
    if not has_second_factor(user):
        return []
    rows.filter(type=Type.RECOVERY_CODES).delete()
    codes = RecoveryCodes.activate(user)
    _tell("codes.made", "codes_made", codes.instance, by)
    return codes.get_unused_codes()


@transaction.atomic
def code_spent(*, row: Authenticator, by: str) -> int:
    """To be told when a recovery code was used; how many are left."""
    left = codes_left(row)
    record_for_accounts("code.spent", row.user, by=by, left=left)
    _write("code_spent", row, left=left)
    return left


def codes_left(row: Authenticator) -> int:
    return len(RecoveryCodes(row).get_unused_codes())


@transaction.atomic
def signed_in(*, user: User, how: str, network: str) -> None:
    """To be told when a person came in by a passkey, or past the second factor."""
    record_for_accounts("person.signed_in", user, by=f"user:{user.pk}", how=how, network=network)


@transaction.atomic
def refused(*, user: User, network: str) -> None:
    """To be told when a second factor was wrong."""
    record_for_accounts("key.refused", user, by="visitor", network=network)


def _locked(user: User) -> QuerySet[Authenticator]:
    """Two changes for one person follow each other."""
    User.objects.select_for_update().get(pk=user.pk)
    return Authenticator.objects.filter(user_id=user.pk)


def _tell(action: str, letter: str, row: Authenticator, by: str) -> None:
    record_for_accounts(action, row.user, by=by, kind=row.type, key=row.pk)
    _write(letter, row)


def _write(kind: str, row: Authenticator, **facts: object) -> None:
    """The moment makes the key: the same factor may be removed only once, but codes may be spent often."""
    now = timezone.now()
    letters.post(
        kind,
        to=row.user.email,
        key=f"{kind}:{row.pk}:{now.timestamp()}",
        account=None,
        what=row.type,
        name=row.data.get("name", ""),
        url=reverse("security"),
        **facts,
    )
