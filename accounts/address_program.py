"""The program of a change of address."""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from accounts import address, invitations, letters, recovery, recovery_address, sessions
from accounts.actions import record_for_accounts
from accounts.mfa import has_second_factor
from accounts.models import User
from accounts.open import AddressChange, Invitation
from engine.program import Next, Program, done, hop, nap


class ChangeAddress(Program):
    """Waits for both ends, or for one and a week, and then the person is known by the new address everywhere."""

    first = "wait_confirmed"

    def prepare(self) -> None:
        """Locks the person before the change, as who asks for another change does."""
        rows = AddressChange.objects.filter(pk=UUID(self.run.subject.removeprefix("address_change:")))
        self.user = User.objects.select_for_update().filter(pk__in=rows.values("user_id")).first()
        self.change = rows.select_for_update().first()

    def wait_confirmed(self) -> Next:
        change = self.change
        if change is None or change.ended_at:
            return done("ended")
        if change.new_confirmed_at and (change.old_lost or change.old_confirmed_at):
            return self._all_said_yes(change)
        if change.expires_at <= timezone.now():
            address.end(change=change, outcome=address.Outcome.EXPIRED, by="program:ChangeAddress")
            return done("expired")
        return nap((change.expires_at - timezone.now()).total_seconds())

    def _all_said_yes(self, change: AddressChange) -> Next:
        change.due_at = timezone.now()
        if change.old_lost:
            change.due_at += settings.ADDRESS_LOST_WAIT
        change.save(update_fields=["due_at"])
        return hop(self.wait_day)

    def wait_day(self) -> Next:
        """The old end, and any session, may say no until then."""
        change = self.change
        if change is None or change.ended_at or change.due_at is None:
            return done("ended")
        left = (change.due_at - timezone.now()).total_seconds()
        return nap(left) if left > 0 else hop(self.change_it)

    def change_it(self) -> Next:
        change = self.change
        user = self.user
        if change is None or user is None or change.ended_at:
            return done("ended")
        if change.old_lost and not has_second_factor(user):
            address.call_off(change=change, by="program:ChangeAddress")
            return done("no second factor")
        if user.email != change.old or User.objects.filter(email=change.new).exists():
            address.end(change=change, outcome=address.Outcome.TAKEN, by="program:ChangeAddress")
            return done("taken")
        self._move(user, change)
        change.ended_at, change.outcome = timezone.now(), address.Outcome.DONE
        change.save(update_fields=["ended_at", "outcome"])
        self._tell(user, change, recovery_address.drop_same(user=user, by="program:ChangeAddress"))
        return done("changed")

    def _move(self, user: User, change: AddressChange) -> None:
        """What was sent to either address before opens nothing any more, and only the session that asked goes on."""
        recovery.end_open(user=user, by="program:ChangeAddress")
        user.email = change.new
        user.save(update_fields=["email"])
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=change.new, verified=True, primary=True)
        sessions.void_links(change.old, change.new)
        for one in Invitation.objects.live().filter(email=change.old):
            invitations.withdraw(invitation=one, by="program:ChangeAddress")
        sessions.end_all(user=user, but=change.session, by="program:ChangeAddress")

    def _tell(self, user: User, change: AddressChange, was_second: bool) -> None:
        record_for_accounts("address.changed", user, by="program:ChangeAddress")
        words: dict[str, Any] = {"old": change.old, "new": change.new, "was_second": was_second}
        for end, to in ((address.OLD, change.old), (address.NEW, change.new)):
            letters.post("address_changed", to=to, key=f"address_changed:{change.pk}:{end}", **words)
