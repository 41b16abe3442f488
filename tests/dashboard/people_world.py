"""People of an account, and what stands open about them, with the paths of the letters that lead to it."""

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import address, recovery, recovery_address, sessions, tokens
from accounts.models import Account, Membership, Session, User
from accounts.open import AddressChange, Invitation, Recovery, RecoveryAddress


def person(account: Account, email: str = "dora@example.test", role: str = "member") -> Membership:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    return Membership.objects.create(account=account, user=user, role=role)


def factor(user: User) -> Authenticator:
    """A second factor; what it holds is never opened where this is used."""
    return Authenticator.objects.create(user_id=user.pk, type=Authenticator.Type.TOTP, data={"secret": "x"})


def session(user: User, **fields: Any) -> Session:
    now = timezone.now()
    given = {"browser": "Firefox", "system": "Windows", "address": "203.0.113.7", "country": "DE", **fields}
    return Session.objects.create(user=user, expires_at=now + timedelta(days=14), **given)


def invitation(account: Account, email: str = "erin@example.test", **fields: Any) -> Invitation:
    by = account.people.order_by("pk").first()
    given = {"role": "member", "by": by, "expires_at": timezone.now() + timedelta(days=7), **fields}
    return Invitation.objects.create(account=account, email=email, **given)


def change(user: User, new: str = "new@example.test", **fields: Any) -> AddressChange:
    given = {"old": user.email, "new": new, "expires_at": timezone.now() + timedelta(days=1), **fields}
    return AddressChange.objects.create(user=user, **given)


def second(user: User, email: str = "second@elsewhere.test", **fields: Any) -> RecoveryAddress:
    given = {"expires_at": timezone.now() + timedelta(days=1), **fields}
    return RecoveryAddress.objects.create(user=user, email=email, **given)


def lost(user: User, **fields: Any) -> Recovery:
    given = {"email": user.email, "second": "second@elsewhere.test", **fields}
    return Recovery.objects.create(user=user, expires_at=timezone.now() + timedelta(days=3), **given)


def ways(account: Account, user: User) -> dict[str, tuple[Any, ...]]:
    """For each page that a letter leads to, what its address holds."""
    seen, moved, other, gone = session(user), change(user), second(user), lost(user)
    return {
        "account-person": (person(account).pk,),
        "account-invitation": (invitation(account).pk,),
        "account-notice": (seen.pk, tokens.way_of(sessions.NOTICE, str(seen.pk))),
        "account-address-link": _parts(address.way({"change": str(moved.pk), "end": "new"})),
        "account-second-link": _parts(recovery_address.way({"address": str(other.pk)})),
        "account-recover-link": _parts(recovery.way({"recovery": str(gone.pk), "end": "first"})),
    }


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")[2:])
