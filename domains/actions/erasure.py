"""How mail of a removed mailbox goes for good: planned, for a time undone, ordered by its id, and proven by the host's report."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import serializers
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import record
from domains.actions import limits
from domains.actions.alias import refuse_taken
from domains.actions.common import as_it_is, hold, record_of, refuse_circle, tell_server
from domains.actions.limits import Most
from domains.models import Domain, Erasure, Mailbox
from domains.refusals import Refusal
from engine.alarms import close_alarm, open_alarm

AT_ONCE = 200  # rows that one turn of the clock touches
LATE = timedelta(hours=24)  # a host that reports erases within minutes
PROOF_KEPT = timedelta(days=365)  # as long as events
LATEST = 4_102_444_800  # 2100, in Unix time


def plan_erasure(mailbox: Mailbox, *, why: Erasure.Why, by: str) -> Erasure:
    """In place of the mailbox's row: its mail is deleted when nobody can have it back any more."""
    asked = mailbox.removed_at or timezone.now()
    row = Erasure.objects.create(
        pk=mailbox.pk,
        account=mailbox.domain.account,
        home=mailbox.domain.home,
        address=mailbox.address,
        why=why,
        by=by,
        asked_at=asked,
        due_at=asked + settings.REMOVED_MAILBOX_KEPT,
        kept=serializers.serialize("json", [mailbox, *mailbox.app_passwords.all()]),
    )
    mailbox.delete()
    return row


@transaction.atomic
def bring_back(*, erasure: Erasure, most: Most, by: str) -> Mailbox:
    """A mailbox that went with its domain is there again, with its mail and its passwords. Raises TooMany, Taken, Loop or Refusal."""
    hold(erasure.account_id)
    erasure = as_it_is(erasure)
    if erasure.ordered_at:
        raise Refusal(_("The mail of %s is deleted and cannot be brought back.") % erasure.address)
    local, _at, name = erasure.address.rpartition("@")
    domain = Domain.objects.filter(account=erasure.account_id, home=erasure.home, name=name).first()
    if domain is None:
        raise Refusal(_("Add %s to this server again first.") % name)
    refuse_taken(domain, local)
    mailbox = _restored(erasure, domain)
    limits.room_for_mailbox(domain.home, most, mailbox.quota, but=mailbox.pk)
    erasure.delete()
    refuse_circle(domain.account_id, mailbox.address, "")
    record_of("mailbox.restored", mailbox, by)
    tell_server(domain.home)
    return mailbox


def _restored(erasure: Erasure, domain: Domain) -> Mailbox:
    for one in serializers.deserialize("json", erasure.kept):
        if isinstance(one.object, Mailbox):
            one.object.domain, one.object.removed_at = domain, None
        one.save()
    return Mailbox.objects.select_related("domain").get(pk=erasure.pk)


def purge_mailboxes() -> int:
    """Mailboxes that were removed long enough ago leave; their addresses are free, and their mail is planned to go. Returns how many."""
    before = timezone.now() - settings.REMOVED_MAILBOX_KEPT
    rows = Mailbox.objects.filter(removed_at__lt=before).select_related("domain").order_by("removed_at")
    return sum(_purge(mailbox, before) for mailbox in rows[:AT_ONCE])


@transaction.atomic
def _purge(mailbox: Mailbox, before: datetime) -> bool:
    """Unless somebody had it back a moment ago."""
    hold(mailbox.domain.account_id)
    row = (
        Mailbox.objects.filter(pk=mailbox.pk, removed_at__lt=before).select_related("domain__account").first()
    )
    if row is None:
        return False
    record_of("mailbox.purged", row, "clock")
    plan_erasure(row, why=Erasure.Why.MAILBOX, by="clock")
    return True


def order_erasures() -> int:
    """Mail that nobody can have back any more is named in its host's next order. Returns how many."""
    due = Erasure.objects.undoable().filter(due_at__lte=timezone.now()).order_by("due_at")
    return sum(_order(one) for one in due[:AT_ONCE])


@transaction.atomic
def _order(erasure: Erasure) -> bool:
    """From here on there is no way back, and so nothing is kept for one."""
    hold(erasure.account_id)
    mine = Erasure.objects.undoable().filter(pk=erasure.pk, due_at__lte=timezone.now())
    if not mine.update(ordered_at=timezone.now(), kept=""):
        return False
    _record("mailbox.erasure_ordered", erasure, "clock")
    tell_server(erasure.home, grows=False)
    return True


def confirm_erased(*, home: UUID, told: Iterable[Mapping[str, Any]]) -> int:
    """What the server `home` reports to be gone; only what it was ordered to erase counts, and once. Returns how many."""
    said = {ident: one.get("at") for one in told if (ident := _uuid(one.get("id")))}
    rows = list(Erasure.objects.under_way().filter(home=home, pk__in=said)) if said else []
    return sum(_confirm(row, said[row.pk]) for row in rows)


@transaction.atomic
def _confirm(erasure: Erasure, at: object) -> bool:
    """Of two reports at once, one finds it open."""
    changes = {"done_at": timezone.now(), "found_gone_at": _moment(at)}
    if not Erasure.objects.under_way().filter(pk=erasure.pk).update(**changes):
        return False
    _record("mailbox.erased", erasure, f"agent:{erasure.home}")
    if not _late(erasure.home).exists():
        close_alarm(_key(erasure.home))
    tell_server(erasure.home, grows=False)
    return True


@transaction.atomic
def erased_with(home: UUID) -> int:
    """The server and its disk are deleted, and all mail on it. Returns how many erasures that ends."""
    rows = list(Erasure.objects.select_for_update().filter(home=home, done_at=None))
    now = timezone.now()
    for row in rows:
        Erasure.objects.filter(pk=row.pk).update(ordered_at=row.ordered_at or now, done_at=now, kept="")
        _record("mailbox.erased", row, "clock")
    close_alarm(_key(home))
    return len(rows)


def look_for_late_erasures() -> None:
    """One alarm for each host that does not delete what it was ordered to."""
    late = Erasure.objects.under_way().filter(ordered_at__lte=timezone.now() - LATE)
    for home in late.order_by("home").values_list("home", flat=True).distinct()[:AT_ONCE]:
        open_alarm(
            key=_key(home),
            subject=f"server:{home}",
            says=f"Mail of removed mailboxes ({_late(home).count()}) was to be deleted more than a day ago and is not reported to be gone.",
            advice="Does the server report? Its last report says under “undone” and “errors” (erase) what stands in the way.",
        )


def forget_erasures() -> None:
    """The proof that an address had mail here need not last for ever."""
    Erasure.objects.filter(done_at__lt=timezone.now() - PROOF_KEPT).delete()


def _late(home: UUID) -> Any:
    return Erasure.objects.under_way().filter(home=home, ordered_at__lte=timezone.now() - LATE)


def _key(home: UUID) -> str:
    return f"server:{home}:erasure"


def _record(action: str, erasure: Erasure, by: str) -> None:
    record(
        action, by=by, account=erasure.account_id, subject=f"mailbox:{erasure.pk}", address=erasure.address
    )


def _uuid(said: object) -> UUID | None:
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _moment(said: object) -> datetime | None:
    """The host's clock may say anything."""
    if not isinstance(said, int | float) or not 0 < said < LATEST:
        return None
    return datetime.fromtimestamp(said, UTC)
