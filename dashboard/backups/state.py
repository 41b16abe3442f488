"""When is the last good backup? One sentence, and what comes next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import figures, when
from dashboard.backups.found import Found
from dashboard.backups.running import Running
from dashboard.backups.said import clean
from dashboard.mail import told
from dashboard.mail.told import Verdict

WORST = ("none", "old", "drill", "damaged", "missing")


@dataclass(frozen=True)
class State:
    """`word` is good, warn, bad or unknown; `next` when the next backup begins."""

    word: str
    headline: str
    lead: str
    next: datetime | None = None
    error: str = ""

    @property
    def pill(self) -> str:
        """The same words as everywhere."""
        return {"good": "working", "warn": "attention", "bad": "attention"}.get(self.word, "")


def state_of(found: Found, running: Running | None) -> State:
    if found.repository is None:
        return _without(found)
    error = clean(told.text(found.told, "error"))
    if found.newest is None:
        return _none_yet(found, running, error)
    at = when.moment(found.newest.at)
    lead = _("It has %(size)s of mail and settings, from %(boxes)d mailboxes with %(messages)s messages.") % {
        "size": figures.size(found.newest.bytes),
        "boxes": found.newest.mailboxes,
        "messages": f"{found.newest.messages:,}",
    }
    word = _word(found, error)
    return State(word, _("The last good backup is from %s") % at, lead, _next(found, running), error)


def _word(found: Found, error: str) -> str:
    if any(kind in found.alarms for kind in WORST):
        return "bad"
    return "warn" if found.alarms or error or found.is_silent else "good"


def _without(found: Found) -> State:
    server = found.server
    if server.gone_at:
        return State("unknown", _("The backups were deleted with the server"), _("The receipt says so."))
    if server.ready_at is None:
        words = _("They begin by themselves when the server is handed over, and are made every hour.")
        return State("unknown", _("There are no backups yet"), words)
    words = _("This installation of Mailat has no storage for them, or the server does not back up yet.")
    return State("unknown", _("No backups are made of this server"), words)


def _none_yet(found: Found, running: Running | None, error: str) -> State:
    if "none" in found.alarms:
        words = _("Mail is on the server alone, until the first backup is stored.")
        return State("bad", _("There is no backup yet"), words, _next(found, running), error)
    if running:
        words = _("When it is done, it stands here, and mail can be brought back from it.")
        return State("unknown", _("The first backup is being made"), words)
    words = _("The server makes the first one by itself, within an hour after it was handed over.")
    return State(
        "warn" if error else "unknown", _("There is no backup yet"), words, _next(found, running), error
    )


def _next(found: Found, running: Running | None) -> datetime | None:
    """When the server means to make the next; a time that is long over says nothing."""
    due = told.moment(found.told, "next")
    if due is None or running or found.is_silent:
        return None
    return due if timezone.now() - timedelta(minutes=1) < due < timezone.now() + timedelta(days=2) else None


def in_short(found_at: datetime | None, kinds: set[str], began_at: datetime) -> Verdict:
    """One sentence for the card of a server."""
    if found_at is None:
        young = timezone.now() - began_at < timedelta(hours=6)
        return Verdict("unknown" if young else "bad", _("There is no backup yet."))
    says = _("The last backup is from %s.") % when.moment(found_at)
    if "drill" in kinds or "damaged" in kinds or "missing" in kinds:
        return Verdict("bad", _("%s Something in the backups is not as it should be.") % says)
    if "old" in kinds:
        return Verdict("bad", _("%s It is older than it should be.") % says)
    return Verdict("warn" if kinds else "good", says)
