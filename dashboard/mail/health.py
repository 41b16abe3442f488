"""How a server's mail is: the test mail, its services, what waits, its certificates, and who was kept out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import when
from dashboard.figures import finite, seconds
from dashboard.mail import told
from dashboard.mail.told import Verdict
from servers.models import Server

SOON = timedelta(days=14)  # a certificate that is not renewed by then is worth a look


@dataclass(frozen=True)
class Probe:
    """Whether one of the services answers, as the server itself finds; `why` is empty where it does."""

    name: str
    why: str


@dataclass(frozen=True)
class Queue:
    """Mail that has not left yet."""

    waiting: int
    held: int
    since: datetime | None
    why: str


@dataclass(frozen=True)
class Certificate:
    name: str
    names: list[str]
    waiting: list[str]
    until: datetime | None
    error: str
    verdict: Verdict


@dataclass(frozen=True)
class Ban:
    """An address that failed to sign in too often."""

    address: str
    where: str
    at: datetime | None
    until: datetime | None  # None where the server did not say, or only a person ends it

    @property
    def lasts(self) -> bool:
        return bool(self.until and self.until > timezone.now())


@dataclass(frozen=True)
class Bans:
    now: int
    latest: list[Ban]


@dataclass(frozen=True)
class Health:
    verdict: Verdict
    canary_at: datetime | None
    canary_way: str
    probes: list[Probe]
    probed_at: datetime | None
    queue: Queue | None
    certificates: list[Certificate]
    bans: Bans | None


def health_of(server: Server) -> Health | None:
    """None while the server has not told anything of its mail system."""
    mail = told.mail_of(server)
    if mail is None:
        return None
    canary = told.part(mail, "canary")
    return Health(
        verdict=canary_verdict(canary),
        canary_at=told.moment(canary, "at"),
        canary_way=told.text(canary, "way"),
        probes=_probes(told.part(mail, "probes")),
        probed_at=told.moment(mail, "probed_at"),
        queue=queue_of(mail),
        certificates=certificates_of(mail),
        bans=_bans(mail),
    )


def canary_verdict(canary: Mapping[str, Any]) -> Verdict:
    """Whether the last test mail came back."""
    at, took, misses = told.moment(canary, "at"), finite(canary.get("seconds")), told.whole(canary, "misses")
    if misses:
        words = ngettext(
            "The last test mail did not come back.", "The last %(n)d test mails did not come back.", misses
        )
        return Verdict(
            "bad" if misses > 1 else "warn", _because(words % {"n": misses}, told.text(canary, "error"))
        )
    if at is None or took is None:
        return Verdict("unknown", _("No test mail has come back yet; the first one takes a few minutes."))
    facts = {"took": seconds(took), "at": when.moment(at)}
    return Verdict("good", _("A test mail went out %(at)s and came back in %(took)s.") % facts)


def _because(words: str, why: str) -> str:
    return _("%(what)s The server says: “%(why)s”.") % {"what": words, "why": why} if why else words


def in_short(server: Server) -> Verdict | None:
    """One sentence for the card of a server; None while there is nothing to say."""
    mail = told.mail_of(server)
    if mail is None:
        return None
    canary = told.part(mail, "canary")
    verdict, queue = canary_verdict(canary), queue_of(mail)
    if verdict.word == "good" and told.text(canary, "way") == "direct" and queue and queue.waiting:
        words = ngettext(
            "Mail arrives; %(n)d mail waits until sending is set up.",
            "Mail arrives; %(n)d mails wait until sending is set up.",
            queue.waiting,
        )
        return Verdict("warn", words % {"n": queue.waiting})
    return verdict


def _probes(said: Mapping[str, Any]) -> list[Probe]:
    words = {
        "smtp": _("Mail from others (port 25)"),
        "submission": _("Sending (port 587)"),
        "submissions": _("Sending (port 465)"),
        "imaps": _("Reading (port 993)"),
        "sieve": _("Filter rules (port 4190)"),
        "https": _("Webmail"),
        "lmtp": _("Putting into mailboxes"),
    }
    return [
        Probe(words.get(name, str(name)[:60]), str(why)[:300])
        for name, why in sorted(said.items(), key=lambda pair: _place(words, pair[0]))[:20]
    ]


def _place(words: Mapping[str, str], name: str) -> tuple[int, str]:
    names = list(words)
    return (names.index(name) if name in names else len(names), name)


def queue_of(mail: Mapping[str, Any]) -> Queue | None:
    """None while the server has not counted."""
    said = told.part(mail, "queue")
    if not said:
        return None
    oldest = finite(said.get("oldest"))
    looked = told.moment(mail, "probed_at") or timezone.now()
    since = looked - timedelta(seconds=oldest) if oldest is not None and 0 <= oldest < 1e9 else None
    waiting = told.whole(said, "active") + told.whole(said, "deferred")
    return Queue(waiting, told.whole(said, "hold"), _whole_minute(since), told.text(said, "why"))


def _whole_minute(at: datetime | None) -> datetime | None:
    """So that a page that is reckoned anew stays the same."""
    return at.replace(second=0, microsecond=0) if at else None


def certificates_of(mail: Mapping[str, Any]) -> list[Certificate]:
    return [_certificate(one) for one in told.rows(mail, "certificates")]


def _certificate(said: Mapping[str, Any]) -> Certificate:
    until, error = told.moment(said, "until"), told.text(said, "error")
    return Certificate(
        name=told.text(said, "name"),
        names=_names(said, "names"),
        waiting=_names(said, "waiting"),
        until=until,
        error=error,
        verdict=_certificate_verdict(until, error),
    )


def _names(said: Mapping[str, Any], field: str) -> list[str]:
    value = said.get(field)
    return [name[:254] for name in value[:50] if isinstance(name, str)] if isinstance(value, list) else []


def _certificate_verdict(until: datetime | None, error: str) -> Verdict:
    if until is None:
        return Verdict("warn" if error else "unknown", _("There is no certificate yet."))
    days = (until - timezone.now()).days
    if days < 0:
        return Verdict("bad", _("It has ended: mail programs warn of it."))
    words = ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}
    return Verdict("warn" if until - timezone.now() < SOON else "good", words)


def _bans(mail: Mapping[str, Any]) -> Bans | None:
    """None where the server could not tell; jails are those of agent/mailat_agent/mail/templates/fail2ban."""
    said = told.part(mail, "bans")
    if not said:
        return None
    words = {"dovecot": _("reading"), "postfix": _("sending"), "webmail": _("webmail")}
    return Bans(told.whole(said, "now"), [_ban(words, one) for one in told.rows(said, "latest", 20)])


def _ban(words: Mapping[str, str], one: Mapping[str, Any]) -> Ban:
    where = _where(words, told.text(one, "jail"))
    return Ban(told.text(one, "address"), where, told.moment(one, "at"), told.moment(one, "until"))


def _where(words: Mapping[str, str], jail: str) -> str:
    """What the one kept out tried to use; jails are named after the daemons."""
    return next((says for name, says in words.items() if jail.removeprefix("mailat-").startswith(name)), jail)
