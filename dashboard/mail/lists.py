"""The domains of an account with their mailboxes: what works, what is missing, and the next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from dashboard.mail import health, told
from dashboard.mail.applied import Applied, applied_of
from dashboard.mail.told import Verdict
from dashboard.mail.use import Stop, Use, stop_of, use_of
from domains.models import Domain, Erasure, Mailbox, WayOut
from domains.names import shown
from servers.models import Server

ERASURES = 20  # the latest
TOLD_FOR = timedelta(days=30)  # after mail was deleted
MOST = 100  # servers on one page; each has at most 50 domains


@dataclass(frozen=True)
class Line:
    """A mailbox in the list."""

    mailbox: Mailbox
    use: Use | None
    stop: Stop | None

    @property
    def invited(self) -> bool:
        """Whether its owner has not chosen a password yet."""
        return not self.mailbox.password


@dataclass(frozen=True)
class DomainCard:
    domain: Domain
    name: str
    server: Server
    verdicts: list[Verdict]
    lines: list[Line]
    removed: list[Mailbox]
    aliases: int
    waiting: list[str]


@dataclass(frozen=True)
class Overview:
    """All that the list of domains shows; `ways` are the servers that have a way out."""

    cards: list[DomainCard]
    servers: list[Server]
    ways: set[UUID]
    applied: list[Applied]
    erasures: list[Erasure]

    @property
    def busy(self) -> bool:
        return any(one.busy for one in self.applied)


def servers_of(account: Account) -> list[Server]:
    """The servers that are there, those with mail first made first named."""
    there = Server.objects.filter(account=account, gone_at=None).select_related(
        "agent", "destruction", "account"
    )
    return list(there.order_by("name")[:MOST])


def ready_of(servers: list[Server]) -> list[Server]:
    """Those that can take a domain."""
    return [one for one in servers if one.ready_at and not _leaves(one)]


def _leaves(server: Server) -> bool:
    destruction = getattr(server, "destruction", None)
    return bool(destruction and destruction.begun_at)


def overview_of(account: Account) -> Overview:
    servers = servers_of(account)
    by_id = {server.pk: server for server in servers}
    ways = set(WayOut.objects.filter(home__in=by_id).values_list("home", flat=True))
    cards = [
        _card(domain, by_id[domain.home], domain.home in ways) for domain in _domains(account, list(by_id))
    ]
    used = [one for one in servers if any(card.server is one for card in cards)]
    applied = [found for one in used if (found := applied_of(one))]
    return Overview(cards, servers, ways, applied, erasures_of(account))


def erasures_of(account: Account) -> list[Erasure]:
    """Mail of mailboxes that are no more, for as long as somebody may ask what became of it."""
    asked = Q(done_at=None) | Q(done_at__gt=timezone.now() - TOLD_FOR)
    rows = Erasure.objects.filter(asked, account=account).defer("kept")
    return list(rows.order_by("-asked_at", "pk")[:ERASURES])


def _domains(account: Account, homes: list[UUID]) -> QuerySet[Domain]:
    mailboxes = Prefetch("mailboxes", Mailbox.objects.select_related("domain").order_by("local"))
    rows = Domain.objects.filter(account=account, home__in=homes).annotate(
        alias_number=Count("aliases", distinct=True)
    )
    return rows.select_related("catch_all__domain").prefetch_related(mailboxes).order_by("name")


def _card(domain: Domain, server: Server, has_way: bool) -> DomainCard:
    mail = told.mail_of(server)
    rows = list(domain.mailboxes.all())
    waiting = waiting_names(domain, mail)
    return DomainCard(
        domain=domain,
        name=shown(domain.name),
        server=server,
        verdicts=verdicts_of(domain, server, has_way=has_way),
        lines=[Line(row, use_of(row, mail), stop_of(row, mail)) for row in rows if not row.removed_at],
        removed=[row for row in rows if row.removed_at],
        aliases=domain.alias_number,  # type: ignore[attr-defined]
        waiting=waiting,
    )


def waiting_names(domain: Domain, mail: Mapping[str, Any] | None) -> list[str]:
    """Names of the domain that do not point to its server yet, as the server finds."""
    found = [
        name for one in health.certificates_of(mail or {}) for name in one.waiting if _is_of(name, domain)
    ]
    return list(dict.fromkeys(found))


def _is_of(name: str, domain: Domain) -> bool:
    return f".{name}".endswith(f".{domain.name}")


def verdicts_of(domain: Domain, server: Server, *, has_way: bool) -> list[Verdict]:
    """Receives? Certificate? Sends?"""
    mail = told.mail_of(server)
    if mail is not None and server.agent.health == "lost":
        return [Verdict("bad", _("Receiving: the server is silent, so nothing is known.")), _sends(has_way)]
    return [_receives(mail), _certified(domain, mail), _sends(has_way)]


def _receives(mail: Mapping[str, Any] | None) -> Verdict:
    if mail is None:
        return Verdict("unknown", _("Receiving: the server has not told yet."))
    why = told.part(mail, "probes").get("smtp")
    if why:
        return Verdict("bad", _("Receiving: the server does not answer (%s).") % why)
    if why is None:
        return Verdict("unknown", _("Receiving: the server has not looked yet."))
    return Verdict("good", _("Receiving: the server takes its mail."))


def _certified(domain: Domain, mail: Mapping[str, Any] | None) -> Verdict:
    waiting = waiting_names(domain, mail)
    if waiting:
        words = ngettext(
            "Names: %(n)d does not point to the server yet.",
            "Names: %(n)d do not point to the server yet.",
            len(waiting),
        )
        return Verdict("warn", words % {"n": len(waiting)})
    mine = [
        one for one in health.certificates_of(mail or {}) if any(_is_of(name, domain) for name in one.names)
    ]
    if not mine:
        return Verdict("unknown", _("Names: looked for as soon as the server knows the domain."))
    if any(one.verdict.word == "bad" for one in mine):
        return Verdict("bad", _("Names: the certificate has ended."))
    return Verdict("good", _("Names: they point to the server, with a valid certificate."))


def _sends(has_way: bool) -> Verdict:
    if has_way:
        return Verdict("good", _("Sending: through your account at Amazon SES."))
    return Verdict("warn", _("Sending: not set up; mail to others waits on the server."))
