"""Letting others take part in an account: they are asked by letter, and come in by signing in and saying yes."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import actions, letters
from accounts.models import Account, Membership, User
from accounts.open import Invitation
from audit.actions import record

MOST = 50  # unanswered ones of an account, so that nobody sends mail to half the world in our name


class CannotInvite(ValueError):
    """The words are for the person who asked."""


class AlreadyThere(CannotInvite):
    """Somebody with this address takes part in the account."""


class TooMany(CannotInvite):
    """MOST stand open."""


@transaction.atomic
def invite(*, account: Account, email: str, role: str, by: User) -> Invitation:
    """Asks by letter; who was asked before and has not answered is asked again. Raises AlreadyThere, TooMany."""
    Account.objects.select_for_update().get(pk=account.pk)
    email = actions.tidy(email)
    if Membership.objects.filter(account=account, user__email=email).exists():
        raise AlreadyThere(email)
    row = Invitation.objects.unanswered().filter(account=account, email=email).first()
    if row:
        return _again(row, Membership.Role(role), by)
    if Invitation.objects.unanswered().filter(account=account).count() >= MOST:
        raise TooMany(email)
    row = Invitation.objects.create(
        account=account, email=email, role=Membership.Role(role), by=by, expires_at=_until()
    )
    _record("invitation.sent", row, f"user:{by.pk}")
    _post(row)
    return row


@transaction.atomic
def send_again(*, invitation: Invitation, by: User) -> bool:
    """With another week; False if it was answered or withdrawn meanwhile."""
    row = Invitation.objects.unanswered().select_for_update().filter(pk=invitation.pk).first()
    if row is None:
        return False
    _again(row, row.role, by)
    return True


def _again(row: Invitation, role: str, by: User) -> Invitation:
    row.role, row.by, row.sent_at, row.expires_at = role, by, timezone.now(), _until()
    row.sent += 1
    row.save(update_fields=["role", "by", "sent_at", "expires_at", "sent"])
    _record("invitation.sent", row, f"user:{by.pk}")
    _post(row)
    return row


def _until() -> Any:
    return timezone.now() + settings.INVITATION_LIFE


def _post(row: Invitation) -> None:
    """The names that people give themselves stay out of it: a stranger would read them as ours."""
    letters.post(
        "person_invited",
        to=row.email,
        key=f"person_invited:{row.pk}:{row.sent}",
        account=row.account,
        by=cast(User, row.by).email,
        until_at=row.expires_at,
        invitation=row.pk,
    )


def way(context: dict[str, Any]) -> str:
    """Where the letter leads; nothing once the invitation is answered, withdrawn or too old."""
    pk = UUID(context["invitation"])
    return f"/invitations/{pk}" if Invitation.objects.live().filter(pk=pk).exists() else ""


@transaction.atomic
def withdraw(*, invitation: Invitation, by: str) -> bool:
    """False if it was answered or withdrawn before."""
    row = invitation
    if not Invitation.objects.unanswered().filter(pk=row.pk).update(withdrawn_at=timezone.now()):
        return False
    _record("invitation.withdrawn", row, by)
    return True


def withdraw_those_of(*, user: User, account: Account, by: str) -> None:
    """To be told when a person owns the account no more: nobody comes in at their word from then on."""
    for one in Invitation.objects.unanswered().filter(account=account, by=user):
        withdraw(invitation=one, by=by)


# --- the answer


def for_person(user: User, pk: UUID) -> Invitation | None:
    """The live invitation, if it went to this person's address."""
    mine = Invitation.objects.live().filter(pk=pk, email=user.email)
    return mine.select_related("account", "by").first()


def waiting_for(user: User) -> list[Invitation]:
    """What the person may say yes or no to."""
    found = Invitation.objects.live().filter(email=user.email).select_related("account", "by")
    return list(found.order_by("-sent_at", "pk")[:20])


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership | None:
    """The person takes part from now on; None if the invitation is theirs no more, or who asked is an owner no more."""
    Account.objects.select_for_update().get(pk=invitation.account_id)
    mine = Invitation.objects.live().filter(pk=invitation.pk, email=user.email)
    row = mine.select_for_update().select_related("account").first()
    owners = Membership.objects.filter(account=invitation.account_id, role=Membership.Role.OWNER)
    if row is None or not owners.filter(user=row.by_id).exists():
        return None
    row.accepted_at = timezone.now()
    row.save(update_fields=["accepted_at"])
    member = actions.add_member(account=row.account, email=user.email, role=row.role, by=f"user:{user.pk}")
    letters.to_owners(
        row.account,
        "person_joined",
        key=f"person_joined:{row.pk}",
        who=user.email,
        role=member.role,
        url="/account/people",
    )
    return member


@transaction.atomic
def decline(*, invitation: Invitation, user: User) -> bool:
    """The person says no, and is left with an account of their own; False if there was nothing to answer."""
    mine = Invitation.objects.live().filter(pk=invitation.pk, email=user.email)
    if not mine.update(declined_at=timezone.now()):
        return False
    _record("invitation.declined", invitation, f"user:{user.pk}")
    if not user.memberships.exists():
        actions.ensure_account(email=user.email, by="sign-in")
    return True


def _record(action: str, row: Invitation, by: str) -> None:
    record(
        action,
        by=by,
        account=row.account_id,
        subject=f"invitation:{row.pk}",
        address=row.email,
        role=str(row.role),
    )
