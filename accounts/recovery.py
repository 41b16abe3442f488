"""Getting in again without one's second factor, in ways of which whoever reads one mailbox alone has none.

Either two addresses say yes and three days pass in which each of them, and any open session, may say no; or the person's address
says yes and another owner, who shows that it is them, vouches.
"""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import letters, tokens
from accounts.actions import record_for_accounts, tidy
from accounts.models import Account, Membership, User
from accounts.open import AddressChange, Recovery, RecoveryAddress
from engine import actions as engine

FIRST, SECOND, STOP = "first", "second", "stop"  # what a link of ours is for
ENDS = (FIRST, SECOND, STOP)
Outcome = Recovery.Outcome


class CannotVouch(ValueError):
    """The words are for the person who wanted to vouch."""


@transaction.atomic
def ask(*, email: str, network: str) -> Recovery:
    """Writes the wish down. Whose address it is, a worker looks up, so nothing here can tell."""
    row = Recovery.objects.create(
        email=tidy(email), network=network[:45], expires_at=timezone.now() + settings.RECOVERY_LIFE
    )
    from accounts.recovery_program import Recover

    engine.start(Recover, subject=subject(row))
    return row


def subject(row: Recovery) -> str:
    return f"recovery:{row.pk}"


def open_recovery(user: User) -> Recovery | None:
    """The one under way, also if nothing but an address was typed for it yet."""
    return Recovery.objects.filter(user=user, ended_at=None).first()


def begun(user: User) -> Recovery | None:
    """The one under way to which the person's own address has said yes: until then a stranger may have asked."""
    return Recovery.objects.filter(user=user, ended_at=None).exclude(first_confirmed_at=None).first()


# --- the links in the letters


def way(context: dict[str, Any]) -> str:
    """Where a letter's link leads; nothing once the recovery has ended or that end has said yes."""
    row = Recovery.objects.filter(pk=UUID(context["recovery"]), ended_at=None).first()
    end = str(context["end"])
    said = row and {FIRST: row.first_confirmed_at, SECOND: row.second_confirmed_at, STOP: None}[end]
    return f"/recover/{row.pk}/{tokens.way_of(_purpose(end), str(row.pk))}" if row and not said else ""


def _purpose(end: str) -> str:
    return f"recovery.{end}"


def read(pk: UUID, token: str) -> tuple[Recovery | None, str]:
    """The recovery that a link is about, and what the link is for; nothing if the link was never ours."""
    end = next((one for one in ENDS if tokens.is_way(_purpose(one), str(pk), token)), "")
    row = Recovery.objects.select_related("user").filter(pk=pk).exclude(user=None).first() if end else None
    return row, end


@transaction.atomic
def confirm(*, recovery: Recovery, end: str) -> bool:
    """One address says yes; False if that is of no use any more."""
    user = User.objects.select_for_update().get(pk=cast(User, recovery.user).pk)
    field = {FIRST: "first_confirmed_at", SECOND: "second_confirmed_at"}[end]
    open_ones = Recovery.objects.filter(pk=recovery.pk, ended_at=None, expires_at__gt=timezone.now())
    if not _asks_todays_addresses(recovery, user):
        return False
    if not open_ones.filter(**{field: None}).update(**{field: timezone.now()}):
        return False
    record_for_accounts("recovery.confirmed", user, by="letter", end=end)
    if end == FIRST:
        _call_off_address_change(user)
        _ask_owners(recovery, user)
    engine.wake(subject=subject(recovery))
    return True


def _asks_todays_addresses(recovery: Recovery, user: User) -> bool:
    """Whoever reads an address that the person has left behind has no say."""
    seconds = RecoveryAddress.objects.filter(user=user, email=recovery.second, removed_at=None)
    has_second = not recovery.second or seconds.exclude(confirmed_at=None).exists()
    return recovery.email == user.email and has_second


def _call_off_address_change(user: User) -> None:
    """The addresses that are asked stay the ones that were there."""
    from accounts import address

    for change in AddressChange.objects.filter(user=user, ended_at=None):
        address.call_off(change=change, by="program:Recover")


def _ask_owners(recovery: Recovery, user: User) -> None:
    for owner in vouchers(user):
        letters.post(
            "vouch_wanted",
            to=owner.email,
            key=f"vouch_wanted:{recovery.pk}:{owner.pk}",
            who=user.email,
            until_at=recovery.expires_at,
            url="/account/people",
        )


# --- another owner vouches


def vouchers(user: User) -> list[User]:
    """Other people who own every account that this person takes part in: nobody else has all of it to lose."""
    accounts = list(Account.objects.filter(memberships__user=user))
    owners = Q(memberships__role=Membership.Role.OWNER)
    found = User.objects.filter(is_active=True, is_staff=False).exclude(pk=user.pk)
    for account in accounts:
        found = found.filter(pk__in=account.people.filter(owners, memberships__account=account).values("pk"))
    return list(found.order_by("pk")[:50]) if accounts else []


def vouchable(user: User, voucher: User) -> Recovery | None:
    """The recovery of `user` that `voucher` may vouch for: its person's own address has said yes, and it is not too late."""
    now = timezone.now()
    waits = Recovery.objects.filter(
        user=user, ended_at=None, due_at=None, expires_at__gt=now, vouched_at=None
    )
    row = waits.exclude(first_confirmed_at=None).first()
    return row if row and voucher in vouchers(user) else None


@transaction.atomic
def vouch(*, user: User, by: User) -> Recovery:
    """Another owner says that it is really this person. Raises CannotVouch."""
    row = vouchable(user, by)
    if row is None:
        raise CannotVouch(user.email)
    open_ones = Recovery.objects.filter(pk=row.pk, ended_at=None, vouched_at=None)
    if not open_ones.update(vouched_by=by, vouched_at=timezone.now()):
        raise CannotVouch(user.email)
    record_for_accounts("recovery.vouched", user, by=f"user:{by.pk}")
    engine.wake(subject=subject(row))
    return row


# --- the end


@transaction.atomic
def stop(*, recovery: Recovery, by: str) -> bool:
    """Somebody who may says no; False if it had ended before."""
    return end(recovery=recovery, outcome=Outcome.STOPPED, by=by)


def end_open(*, user: User, by: str) -> None:
    """To be told before an address that is asked becomes another: the letters that lie there count for nothing from then on."""
    row = open_recovery(user)
    if row:
        end(recovery=row, outcome=Outcome.STOPPED, by=by)


def end(*, recovery: Recovery, outcome: str, by: str) -> bool:
    """Ends a recovery that does not come about, and tells every address that knew of it."""
    open_ones = Recovery.objects.filter(pk=recovery.pk, ended_at=None)
    if not open_ones.update(ended_at=timezone.now(), outcome=outcome):
        return False
    user = cast(User, recovery.user)
    record_for_accounts("recovery.ended", user, by=by, how=str(outcome))
    for to in addresses(recovery):
        words: dict[str, Any] = {"of": user.email, "how": str(outcome), "url": "/account/recovery"}
        letters.post("recover_ended", to=to, key=f"recover_ended:{recovery.pk}:{to}", **words)
    engine.wake(subject=subject(recovery))
    return True


def addresses(recovery: Recovery) -> list[str]:
    """Every address that hears of it and may say no."""
    return [one for one in (cast(User, recovery.user).email, recovery.second) if one]


FORGOTTEN_AFTER = timedelta(days=90)


def forget() -> int:
    """What was typed for nobody leaves after a day, the rest after FORGOTTEN_AFTER; returns how many rows."""
    now = timezone.now()
    nobodys = Q(user=None, ended_at__lt=now - timedelta(days=1))
    return Recovery.objects.filter(nobodys | Q(ended_at__lt=now - FORGOTTEN_AFTER)).delete()[0]
