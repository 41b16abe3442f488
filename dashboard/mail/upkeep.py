"""Is a server patched? Which fixes wait and since when, what was put in and how fast, and when it may restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import when
from dashboard.mail import told
from dashboard.mail.told import Verdict
from servers.models import Server


@dataclass(frozen=True)
class Fix:
    """A version of a package that has been published; `applied_at` is None while it waits."""

    package: str
    before: str
    after: str
    security: bool
    published_at: datetime | None
    applied_at: datetime | None

    @property
    def lag(self) -> timedelta | None:
        """The time from published to applied."""
        known = self.published_at and self.applied_at
        return self.applied_at - self.published_at if known else None  # type: ignore[operator]


@dataclass(frozen=True)
class TakenBack:
    package: str
    version: str
    why: str
    at: datetime | None


@dataclass(frozen=True)
class Upkeep:
    verdict: Verdict
    checked_at: datetime | None
    pending: list[Fix]
    applied: list[Fix]
    taken_back: list[TakenBack]
    reboot_needed: bool
    booted_at: datetime | None
    after: Verdict | None


def upkeep_of(server: Server) -> Upkeep | None:
    """None while the server has not looked for updates."""
    mail = told.mail_of(server)
    said = told.part(mail, "patches") if mail else {}
    if not said:
        return None
    pending = [_fix(one) for one in told.rows(said, "pending")]
    reboot_needed = said.get("reboot_needed") is True
    checked_at = told.moment(said, "checked_at")
    return Upkeep(
        verdict=_verdict(pending, reboot_needed, checked_at),
        checked_at=checked_at,
        pending=pending,
        applied=[_fix(one) for one in told.rows(said, "applied", 20)],
        taken_back=[_taken_back(one) for one in told.rows(said, "taken_back", 20)],
        reboot_needed=reboot_needed,
        booted_at=told.moment(said, "booted_at"),
        after=_after(told.part(said, "after")),
    )


def _fix(said: Mapping[str, Any]) -> Fix:
    return Fix(
        package=told.text(said, "package", 100),
        before=told.text(said, "from", 100),
        after=told.text(said, "to", 100),
        security=said.get("security") is True,
        published_at=told.moment(said, "published_at"),
        applied_at=told.moment(said, "applied_at"),
    )


def _taken_back(said: Mapping[str, Any]) -> TakenBack:
    return TakenBack(
        told.text(said, "package", 100),
        told.text(said, "version", 100),
        told.text(said, "why"),
        told.moment(said, "at"),
    )


def _verdict(pending: list[Fix], reboot_needed: bool, checked_at: datetime | None) -> Verdict:
    fixes = [one for one in pending if one.security]
    if checked_at is None:
        return Verdict("unknown", _("Not known yet: it has not looked for updates."))
    if fixes:
        return Verdict("warn", _waiting(fixes))
    if reboot_needed:
        return Verdict(
            "warn", _("All known fixes are installed; the newest kernel takes effect with the next restart.")
        )
    return Verdict("good", _("Yes: no known security fix is waiting."))


def _waiting(fixes: list[Fix]) -> str:
    oldest = min((one.published_at for one in fixes if one.published_at), default=None)
    words = ngettext(
        "Not yet: %(n)d security fix is waiting. It is put in by itself.",
        "Not yet: %(n)d security fixes are waiting. They are put in by themselves.",
        len(fixes),
    ) % {"n": len(fixes)}
    return (
        _("%(what)s The oldest was published %(at)s.") % {"what": words, "at": when.moment(oldest)}
        if oldest
        else words
    )


def _after(said: Mapping[str, Any]) -> Verdict | None:
    """What the probes found after the last update."""
    at = told.moment(said, "at")
    if at is None:
        return None
    facts = {"at": when.moment(at), "why": told.text(said, "why")}
    if said.get("ok") is True:
        return Verdict("good", _("After the last update, %(at)s, everything answered as before.") % facts)
    return Verdict("bad", _("After the last update, %(at)s, something did not answer: %(why)s") % facts)
