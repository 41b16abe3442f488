"""The records of a domain as its page groups them, with what the server found when it looked for their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from dashboard.mail import health, told
from dashboard.mail.told import Verdict
from domains import records
from domains.models import Domain
from domains.records import SERVICES, Record
from servers.desired import host_name
from servers.models import Server

ARRIVES, BELIEVED = ("mx",), ("spf", "dkim", "ses-dkim", "ses-mail-from", "ses-spf", "dmarc")


@dataclass(frozen=True)
class Row:
    """A record, and whether its name leads to the server; None where the server does not look."""

    record: Record
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Group:
    """Records for the same end; `lacks` says what will be added to them."""

    title: str
    says: str
    rows: list[Row]
    lacks: str = ""


def records_of(domain: Domain, server: Server) -> list[Record]:
    dkim = _dkim(domain, told.mail_of(server) or {})
    return records.records(domain, host_name(server), dkim, domain.handed.order_by("pk"))


def _dkim(domain: Domain, mail: Mapping[str, Any]) -> dict[str, str] | None:
    """The public key that the server told, once it has made one."""
    key = told.part(told.part(mail, "dkim"), domain.name)
    selector, value = told.text(key, "selector", 63), told.text(key, "txt", 1000)
    return {"selector": selector, "txt": value} if selector and value else None


def groups_of(domain: Domain, server: Server) -> list[Group]:
    """What must be there first, then what makes mail believed, then what makes it convenient."""
    mail, rows = told.mail_of(server) or {}, records_of(domain, server)
    some = lambda purposes: [Row(one) for one in rows if one.purpose in purposes]  # noqa: E731
    named = [Row(one, pointing(one.name, mail)) for one in rows if one.purpose in SERVICES]
    rest = [Row(one) for one in rows if one.purpose not in (*ARRIVES, *BELIEVED, *SERVICES)]
    return [
        Group(_("So that mail arrives"), _("Without it nobody reaches you."), some(ARRIVES)),
        Group(
            _("So that your mail is believed"),
            _("Without these, others may take it for spam."),
            some(BELIEVED),
            ""
            if _dkim(domain, mail)
            else _("The key for signing is missing here until the server has made it."),
        ),
        Group(
            _("Names of your own"),
            _("For each name that leads to your server it gets a certificate by itself."),
            named,
        ),
        Group(
            _("For other servers, and for mail programs"),
            _("Mail works without these, and better with them."),
            rest,
        ),
    ]


def pointing(name: str, mail: Mapping[str, Any]) -> Verdict | None:
    """What the server found when it looked for the name."""
    certificates = health.certificates_of(mail)
    if any(name in one.waiting for one in certificates):
        return Verdict("warn", _("does not lead to the server yet"))
    if any(name in one.names for one in certificates):
        return Verdict("good", _("leads to the server"))
    return None


def zone_of(domain: Domain, server: Server) -> str:
    """All records that are known, as a file that name servers read."""
    return f"; {domain.name}: mail at {host_name(server)}\n" + records.zone(records_of(domain, server))
