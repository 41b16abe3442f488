"""What concerns the person behind a mailbox: forwarding, out-of-office answers, passwords of devices."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from domains import hashes
from domains.actions import limits
from domains.actions.alias import good_targets
from domains.actions.common import (
    as_it_is,
    held_mailbox,
    hold,
    record_of,
    refuse_circle,
    refuse_missing,
    save,
    tell_server,
)
from domains.models import AppPassword, Mailbox
from domains.names import many_lines, one_line
from domains.refusals import Refusal

LONGEST_SUBJECT, LONGEST_TEXT, LONGEST_LABEL = 200, 5000, 60
OUT_OF_OFFICE = "Out of office"


@transaction.atomic
def set_forward(*, mailbox: Mailbox, to: Iterable[str], keep_copy: bool, by: str) -> Mailbox:
    """Every mail goes on to these addresses, and stays here as well if `keep_copy`; none ends it.

    Raises BadName, TooMany, Loop or Refusal.
    """
    typed = [one for one in to if one.strip()]
    targets = good_targets(typed, limits.FORWARDS) if typed else []
    mailbox = held_mailbox(mailbox)
    mailbox.forward, mailbox.keep_copy = targets, keep_copy or not targets
    save(mailbox, "forward", "keep_copy")
    refuse_circle(mailbox.domain.account_id, mailbox.address, "targets")
    refuse_missing(mailbox.domain.account_id, targets, "targets")
    record_of(
        "mailbox.forward_set", mailbox, by, targets=", ".join(targets) or _("nobody"), keeps=mailbox.keep_copy
    )
    tell_server(mailbox.domain.home)
    return mailbox


@transaction.atomic
def set_vacation(
    *, mailbox: Mailbox, subject: str, text: str, begins: date | None, ends: date | None, by: str
) -> Mailbox:
    """Who writes is answered with this text, from the day `begins` to the day `ends`; no text, no answer. Raises Refusal."""
    subject, text = " ".join(one_line(subject).split()), many_lines(text)
    _check_vacation(subject, text, begins, ends)
    mailbox = held_mailbox(mailbox)
    mailbox.vacation_subject, mailbox.vacation_text = subject or OUT_OF_OFFICE, text
    mailbox.vacation_begins, mailbox.vacation_ends = begins, ends
    save(mailbox, "vacation_subject", "vacation_text", "vacation_begins", "vacation_ends")
    if text:
        record_of("mailbox.vacation_set", mailbox, by, begins=begins, ends=ends)
    else:
        record_of("mailbox.vacation_ended", mailbox, by)
    tell_server(mailbox.domain.home, grows=bool(text))
    return mailbox


def _check_vacation(subject: str, text: str, begins: date | None, ends: date | None) -> None:
    if len(subject) > LONGEST_SUBJECT:
        raise Refusal(_("A subject has at most %d characters.") % LONGEST_SUBJECT, "subject")
    if len(text) > LONGEST_TEXT:
        raise Refusal(_("The text has at most %d characters.") % LONGEST_TEXT, "text")
    if begins and ends and ends < begins:
        raise Refusal(_("The last day is before the first."), "ends")


@transaction.atomic
def add_app_password(*, mailbox: Mailbox, label: str, by: str) -> tuple[AppPassword, str]:
    """A password for one device: the row, and the password itself, which is kept nowhere. Raises TooMany or Refusal."""
    label = " ".join(one_line(label).split())
    if not label:
        raise Refusal(_("Say which device it is for, so that you know later which to revoke."), "label")
    if len(label) > LONGEST_LABEL:
        raise Refusal(_("A device's name has at most %d characters.") % LONGEST_LABEL, "label")
    mailbox = held_mailbox(mailbox)
    limits.room_for_app_password(mailbox)
    secret = hashes.new_app_password()
    row = AppPassword.objects.create(mailbox=mailbox, label=label, hash=hashes.of_app_password(secret))
    record_of("app_password.added", mailbox, by, label=label)
    tell_server(mailbox.domain.home)
    return row, secret


@transaction.atomic
def revoke_app_password(*, app_password: AppPassword, by: str) -> None:
    """The device is let in no more."""
    hold(app_password.mailbox.domain.account_id)
    row = as_it_is(app_password)
    record_of("app_password.revoked", row.mailbox, by, label=row.label)
    row.delete()
    tell_server(row.mailbox.domain.home, grows=False)
