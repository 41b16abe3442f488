"""The program of a recovery."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils import timezone

from accounts import letters, recovery, recovery_address, sessions
from accounts.actions import record_for_accounts
from accounts.mfa import has_second_factor
from accounts.models import User
from accounts.open import Recovery
from engine.program import Next, Program, done, hop, nap

BY = "program:Recover"


class Recover(Program):
    """Finds out whose recovery it is, waits for those who must say yes and for those who may say no, and opens the way in."""

    first = "look_who"

    def prepare(self) -> None:
        """Locks the person before the recovery, as who changes an address of theirs does."""
        rows = Recovery.objects.filter(pk=UUID(self.run.subject.removeprefix("recovery:")))
        User.objects.select_for_update().filter(pk__in=rows.values("user_id")).first()
        self.row = rows.select_for_update().first()

    def look_who(self) -> Next:
        row = self.row
        if row is None or row.ended_at:
            return done("ended")
        user = User.objects.select_for_update().filter(email=row.email, is_active=True).first()
        if user is None:
            return self._over(row, Recovery.Outcome.NOBODY)
        before = recovery.open_recovery(user)
        if before and before.first_confirmed_at:
            return self._over(row, Recovery.Outcome.NOBODY)
        if before:  # nobody has said yes to it, so the newest letter is the one that counts
            self._over(before, Recovery.Outcome.EXPIRED)
        return self._begin(row, user)

    def _over(self, row: Recovery, outcome: str) -> Next:
        row.ended_at, row.outcome = timezone.now(), outcome
        row.save(update_fields=["ended_at", "outcome"])
        return done(outcome)

    def _begin(self, row: Recovery, user: User) -> Next:
        if why := _no_way(user):
            letters.post("recover_help", to=user.email, key=f"recover_help:{row.pk}", why=why, url="/sign-in")
            return self._over(row, Recovery.Outcome.NO_WAY)
        row.user, row.second = user, recovery_address.apart(user)
        row.save(update_fields=["user", "second"])
        record_for_accounts("recovery.asked", user, by="visitor", network=row.network)
        self._ask(row, user)
        return hop(self.wait_confirmed)

    def _ask(self, row: Recovery, user: User) -> None:
        words: dict[str, Any] = {
            "of": user.email,
            "until_at": row.expires_at,
            "recovery": row.pk,
            "second": row.second,
        }
        words["vouchers"] = bool(recovery.vouchers(user))
        for end, to in ((recovery.FIRST, user.email), (recovery.SECOND, row.second)):
            if to:
                letters.post(
                    "recover_confirm", to=to, key=f"recover_confirm:{row.pk}:{end}", end=end, **words
                )

    def wait_confirmed(self) -> Next:
        row = self.row
        if row is None or row.ended_at:
            return done("ended")
        now = timezone.now()
        if row.first_confirmed_at and row.vouched_at:
            return self._wait_until(row, now)
        if row.first_confirmed_at and row.second_confirmed_at:
            return self._wait_until(row, now + settings.RECOVERY_WAIT)
        if row.expires_at <= now:
            recovery.end(recovery=row, outcome=Recovery.Outcome.EXPIRED, by=BY)
            return done("expired")
        return nap((row.expires_at - now).total_seconds())

    def _wait_until(self, row: Recovery, due: datetime) -> Next:
        row.due_at = due
        row.save(update_fields=["due_at"])
        if due > timezone.now() + timedelta(minutes=1):
            self._tell_that_it_waits(row)
        return hop(self.wait_day)

    def _tell_that_it_waits(self, row: Recovery) -> None:
        words: dict[str, Any] = {"of": cast(User, row.user).email, "opens_at": row.due_at, "recovery": row.pk}
        for to in recovery.addresses(row):
            letters.post(
                "recover_waits", to=to, key=f"recover_waits:{row.pk}:{to}", end=recovery.STOP, **words
            )

    def wait_day(self) -> Next:
        """Each address and any open session may say no until then."""
        row = self.row
        if row is None or row.ended_at or row.due_at is None:
            return done("ended")
        left = (row.due_at - timezone.now()).total_seconds()
        return nap(left) if left > 0 else hop(self.open_the_way)

    def open_the_way(self) -> Next:
        """The second factors go, every session ends, and the person comes in by a link and sets up another factor."""
        row = self.row
        if row is None or row.ended_at:
            return done("ended")
        user = User.objects.select_for_update().get(pk=cast(User, row.user).pk)
        Authenticator.objects.filter(user_id=user.pk).delete()
        sessions.void_links(user.email)
        sessions.end_all(user=user, by=BY)
        record_for_accounts("recovery.done", user, by=BY)
        for to in recovery.addresses(row):
            words: dict[str, Any] = {"of": user.email, "url": "/sign-in?next=/account/security"}
            letters.post("recover_done", to=to, key=f"recover_done:{row.pk}:{to}", **words)
        return self._over(row, Recovery.Outcome.DONE)


def _no_way(user: User) -> str:
    """Why nothing can be begun, or nothing."""
    if user.is_staff:
        return "staff"
    if not has_second_factor(user):
        return "no factor"
    if not (recovery_address.apart(user) or recovery.vouchers(user)):
        return "no way"
    return ""
