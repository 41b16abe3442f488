"""Who may do what in an account: owners answer for it, members look on."""

from django.db import transaction
from django.utils import timezone

from accounts import invitations, letters
from accounts.actions import must_keep_owner
from accounts.models import Account, Membership, User
from audit.actions import record


@transaction.atomic
def change_role(*, account: Account, user: User, role: str, by: str) -> bool:
    """Makes an owner a member or a member an owner; False if nothing changed. Raises LastOwner."""
    Account.objects.select_for_update().get(pk=account.pk)
    member = Membership.objects.filter(account=account, user=user).first()
    if member is None or member.role == Membership.Role(role):
        return False
    must_keep_owner(member)
    member.role = Membership.Role(role)
    member.save(update_fields=["role"])
    if member.role != Membership.Role.OWNER:
        invitations.withdraw_those_of(user=user, account=account, by=by)
    _record_role(member, by)
    return True


def _record_role(member: Membership, by: str) -> None:
    subject = f"user:{member.user_id}"
    record("person.role_changed", by=by, account=member.account_id, subject=subject, role=str(member.role))
    letters.post(
        "role_changed",
        to=member.user.email,
        key=f"role_changed:{member.pk}:{timezone.now().isoformat()}",
        account=member.account,
        of=member.account.name,
        role=member.role,
        url="/account",
    )
