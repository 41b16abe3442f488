"""Being reached at another address: both ends say yes; whoever has lost the old one waits a week in which it may say no."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import letters, recovery, tokens
from accounts.actions import record_for_accounts, tidy
from accounts.mfa import has_second_factor
from accounts.models import User
from accounts.open import AddressChange
from engine import actions as engine

NEW, OLD, STOP = "new", "old", "stop"  # what a link of ours is for
ENDS = (NEW, OLD, STOP)
Outcome = AddressChange.Outcome


class CannotChange(ValueError):
    """The words are for the person who asked."""


class SameAddress(CannotChange):
    """It is the address already."""


class NoFactor(CannotChange):
    """Only who can show a second factor may leave an address behind that cannot be asked."""


class RecoveryOpen(CannotChange):
    """Somebody is recovering the way in, which must be settled first."""


def open_change(user: User) -> AddressChange | None:
    """The one under way."""
    return AddressChange.objects.filter(user=user, ended_at=None).first()


@transaction.atomic
def ask(*, user: User, new: str, old_lost: bool, session: UUID | None, by: str) -> AddressChange:
    """Asks the new end, and the old one unless nobody reads it; an earlier change is called off. Raises CannotChange."""
    user = User.objects.select_for_update().get(pk=user.pk)
    new = tidy(new)
    _may(user, new, old_lost)
    before = open_change(user)
    if before:
        end(change=before, outcome=Outcome.CALLED_OFF, by=by)
    row = _begin(user, new, old_lost, session)
    _record("address.change_asked", row, by)
    _ask_new_end(row)
    _tell_old_end(row)
    engine.start(_program(), subject=subject(row))
    return row


def _may(user: User, new: str, old_lost: bool) -> None:
    if new == user.email:
        raise SameAddress(new)
    if old_lost and not has_second_factor(user):
        raise NoFactor(new)
    if recovery.begun(user):
        raise RecoveryOpen(new)


def _begin(user: User, new: str, old_lost: bool, session: UUID | None) -> AddressChange:
    now = timezone.now()
    return AddressChange.objects.create(
        user=user,
        old=user.email,
        new=new,
        old_lost=old_lost,
        session=session,
        asked_at=now,
        expires_at=now + settings.ADDRESS_CHANGE_LIFE,
    )


def _ask_new_end(row: AddressChange) -> None:
    """The page that asked says the same in both cases: whose address it is, only its reader learns."""
    if User.objects.filter(email=row.new).exists():
        letters.post("address_taken", to=row.new, key=f"address_taken:{row.pk}", old=row.old, url="/sign-in")
        return
    words: dict[str, Any] = {
        "old": row.old,
        "new": row.new,
        "until_at": row.expires_at,
        "change": row.pk,
        "end": NEW,
    }
    letters.post("address_confirm", to=row.new, key=f"address_confirm:{row.pk}:new", **words)


def _tell_old_end(row: AddressChange) -> None:
    words: dict[str, Any] = {"old": row.old, "new": row.new, "until_at": row.expires_at, "change": row.pk}
    if row.old_lost:
        words["days"] = settings.ADDRESS_LOST_WAIT.days
        letters.post("address_notice", to=row.old, key=f"address_notice:{row.pk}", end=STOP, **words)
    else:
        letters.post("address_confirm", to=row.old, key=f"address_confirm:{row.pk}:old", end=OLD, **words)


# --- the links in the letters


def way(context: dict[str, Any]) -> str:
    """Where a letter's link leads; nothing once the change has ended or that end has said yes."""
    row = AddressChange.objects.filter(pk=UUID(context["change"]), ended_at=None).first()
    end = str(context["end"])
    said = row and {NEW: row.new_confirmed_at, OLD: row.old_confirmed_at, STOP: None}[end]
    return f"/address/{row.pk}/{tokens.way_of(_purpose(end), str(row.pk))}" if row and not said else ""


def _purpose(end: str) -> str:
    return f"address.{end}"


def read(pk: UUID, token: str) -> tuple[AddressChange | None, str]:
    """The change that a link is about, and what the link is for; nothing if the link was never ours."""
    end = next((one for one in ENDS if tokens.is_way(_purpose(one), str(pk), token)), "")
    row = AddressChange.objects.select_related("user").filter(pk=pk).first() if end else None
    return row, end


@transaction.atomic
def confirm(*, change: AddressChange, end: str) -> bool:
    """One end says yes; False if that is of no use any more."""
    field = {NEW: "new_confirmed_at", OLD: "old_confirmed_at"}[end]
    open_ones = AddressChange.objects.filter(pk=change.pk, ended_at=None, expires_at__gt=timezone.now())
    if not open_ones.filter(**{field: None}).update(**{field: timezone.now()}):
        return False
    _record("address.confirmed", change, "letter", end=end)
    engine.wake(subject=subject(change))
    return True


# --- the end


@transaction.atomic
def end(*, change: AddressChange, outcome: str, by: str) -> bool:
    """Ends a change that does not come about; False if it had ended before."""
    now = timezone.now()
    open_ones = AddressChange.objects.filter(pk=change.pk, ended_at=None)
    if not open_ones.update(ended_at=now, outcome=outcome):
        return False
    _record("address.change_ended", change, by, how=str(outcome))
    words: dict[str, Any] = {
        "old": change.old,
        "new": change.new,
        "how": str(outcome),
        "url": "/account/address",
    }
    letters.post("address_ended", to=change.old, key=f"address_ended:{change.pk}", **words)
    engine.wake(subject=subject(change))
    return True


def call_off(*, change: AddressChange, by: str) -> bool:
    return end(change=change, outcome=Outcome.CALLED_OFF, by=by)


def subject(change: AddressChange) -> str:
    return f"address_change:{change.pk}"


def _program() -> Any:
    from accounts.address_program import ChangeAddress

    return ChangeAddress


def _record(action: str, row: AddressChange, by: str, **facts: object) -> None:
    """Each account of the person sees that, and not from what to what."""
    record_for_accounts(action, cast(User, row.user), by=by, **facts)
