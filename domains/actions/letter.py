"""Test mails: asked for, handed in by their server once, and answered by what its report tells."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from audit.actions import record
from domains.actions.common import hold, tell_server
from domains.models import Domain, Letter
from domains.names import good_address, one_line
from domains.refusals import Refusal, TooMany

MOST_IN_AN_HOUR = 10  # of a server: each is a mail to somebody who may not have asked for it
KEPT = timedelta(days=31)
LONGEST = 300  # characters of an answer


@transaction.atomic
def ask_letter(*, account: Account, home: UUID, to: str, sender: str, by: str) -> Letter:
    """The server `home` sends one test mail, within a minute, and tells what its way out answered.

    Raises BadName, TooMany or Refusal.
    """
    to, sender = good_address(to, "to"), good_address(sender, "sender")
    hold(account.pk)
    if not Domain.objects.filter(account=account, home=home, name=sender.rpartition("@")[2]).exists():
        raise Refusal(_("Choose an address at one of the domains of this server."), "sender")
    _refuse_flood(home)
    row = Letter.objects.create(account=account, home=home, to=to, sender=sender, by=by)
    record("letter.asked", by=by, account=account.pk, subject=f"server:{home}", letter=str(row.pk), to=to)
    tell_server(home)
    return row


def _refuse_flood(home: UUID) -> None:
    lately = Letter.objects.filter(home=home, asked_at__gt=timezone.now() - timedelta(hours=1))
    if lately.count() >= MOST_IN_AN_HOUR:
        raise TooMany(
            _("This server sends at most %d test mails an hour. Try again later.") % MOST_IN_AN_HOUR
        )


def note_letters(*, home: UUID, told: Iterable[Mapping[str, Any]]) -> int:
    """What the server `home` reports of its test mails; each counts once, however late. Returns how many were new."""
    said = {ident: one for one in told if (ident := _uuid(one.get("id")))}
    rows = list(Letter.objects.filter(home=home, answered_at=None, pk__in=said)) if said else []
    return sum(_note(row, said[row.pk]) for row in rows)


@transaction.atomic
def _note(letter: Letter, said: Mapping[str, Any]) -> bool:
    """Of two reports at once, one finds it open."""
    code = _code(said.get("code"))
    changes = {"answered_at": timezone.now(), "code": code, "answer": _words(said.get("answer"))}
    if not Letter.objects.filter(pk=letter.pk, answered_at=None).update(**changes):
        return False
    record(
        "letter.answered",
        by=f"agent:{letter.home}",
        account=letter.account_id,
        subject=f"server:{letter.home}",
        letter=str(letter.pk),
        code=code,
    )
    tell_server(letter.home, grows=False)
    return True


def _code(said: object) -> int:
    """A reply's code (RFC 5321, 4.2.1), 0 where it is none."""
    return said if type(said) is int and 200 <= said <= 599 else 0


def _words(said: object) -> str:
    """A server's root may send anything."""
    return " ".join(one_line(said).split())[:LONGEST] if isinstance(said, str) else ""


def _uuid(said: object) -> UUID | None:
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


def forget_letters() -> int:
    """They name whom they were sent to, which nobody asks for any more. Returns how many."""
    return Letter.objects.filter(asked_at__lt=timezone.now() - KEPT).delete()[0]
