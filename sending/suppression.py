"""What an owner may do about Amazon's list of those to whom it no longer sends; nothing here writes an address into an event."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from audit.actions import record
from domains.actions.common import hold
from domains.refusals import Refusal, TooMany
from engine import actions as engine
from sending.keys import living_key
from sending.models import Suppression
from sending.programs.allow_again import AllowAgain
from sending.programs.read_suppressed import ReadSuppressed, is_being_read

# Counted from the wish, which is older than any reading; the clock looks every five minutes, so all is gone within an hour.
KEPT = timedelta(minutes=50)
BETWEEN = timedelta(minutes=1)  # two readings


@transaction.atomic
def show(*, account: Account, home: UUID, by: str) -> Suppression:
    """A worker reads the list, which stays for an hour at most. Raises Refusal or TooMany."""
    hold(account.pk)
    if living_key(home) is None:
        raise Refusal(_("There is no access key by which Amazon could be asked. Enter one first."))
    before = Suppression.objects.select_for_update().filter(home=home).first()
    if before and is_being_read(before) and before.asked_at > timezone.now() - KEPT:
        return before
    _refuse_hurry(before)
    values = {
        "account": account,
        "by": by,
        "asked_at": timezone.now(),
        "read_at": None,
        "entries": [],
        "more": False,
        "trouble": None,
    }
    row, _new = Suppression.objects.update_or_create(home=home, defaults=values)
    _record("suppression.asked", row, by)
    engine.start(ReadSuppressed, subject=f"suppression:{home}")
    return row


def _refuse_hurry(before: Suppression | None) -> None:
    if before is None:
        return
    if any(one.get("again") == "asked" for one in before.entries):
        raise Refusal(_("Amazon is being asked to take an address off the list. Read it again after that."))
    if before.read_at and before.read_at > timezone.now() - BETWEEN:
        raise TooMany(_("The list was read less than a minute ago. Wait a little, then read it again."))


@transaction.atomic
def allow(*, home: UUID, address: str, by: str) -> None:
    """A worker has Amazon take the address off its list. Raises Refusal if it is not on the list that was read."""
    row = Suppression.objects.select_for_update().filter(home=home).first()
    entry = next((one for one in row.entries if one["address"] == address), None) if row else None
    if row is None or entry is None or row.read_at is None:
        raise Refusal(_("This list is not kept any more. Read it again, then choose the address."))
    if entry.get("again") in ("asked", "allowed"):
        return
    entry |= {"again": "asked", "by": by, "trouble": None}
    row.save(update_fields=["entries"])
    _record("suppression.allow_asked", row, by)
    engine.start(AllowAgain, subject=f"suppression:{home}")


@transaction.atomic
def forget(*, home: UUID, by: str) -> bool:
    """The list leaves before its time. False if there is none."""
    row = Suppression.objects.select_for_update().filter(home=home).first()
    if row is None:
        return False
    _record("suppression.forgotten", row, by, n=len(row.entries))
    row.delete()
    return True


@transaction.atomic
def forget_old() -> int:
    """Removes the lists that were asked for more than KEPT ago; returns how many."""
    old = Suppression.objects.select_for_update().filter(asked_at__lt=timezone.now() - KEPT)
    rows = list(old)
    for row in rows:
        _record("suppression.forgotten", row, "clock", n=len(row.entries))
        row.delete()
    return len(rows)


def _record(action: str, row: Suppression, by: str, **facts: object) -> None:
    record(action, by=by, account=row.account_id, subject=f"server:{row.home}", **facts)
