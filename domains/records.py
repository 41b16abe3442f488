"""The DNS records that a domain needs, as plain data for the page and as text for a zone."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from domains.models import Domain, HandedRecord

SERVICES = (
    "mail",
    "webmail",
    "autoconfig",
    "autodiscover",
    "mta-sts",
)  # names below the domain that the host serves
LONGEST_STRING = 255  # bytes in one string of a TXT record (RFC 1035, 3.3)
TTL = 3600  # seconds


@dataclass(frozen=True)
class Record:
    """One record: `purpose` is a word that stays the same, `name` has no dot at its end, `why` is for people."""

    purpose: str
    type: str
    name: str
    value: str
    why: str


def records(
    domain: Domain,
    hostname: str,
    dkim: Mapping[str, str] | None,
    handed: Iterable[HandedRecord] = (),
) -> list[Record]:
    """All of them, the most needed first. `dkim` is the report's `selector` and `txt`; without it that record is left out.

    `handed` are those that somebody else than the server wants to see.
    """
    return [
        _mx(domain.name, hostname),
        _spf(domain.name),
        *_dkim(domain.name, dkim),
        *(_handed(one) for one in handed),
        _dmarc(domain.name),
        *(_service(domain.name, service, hostname) for service in SERVICES),
        *_policies(domain, hostname),
        *_found_by_programs(domain.name, hostname),
    ]


def _mx(name: str, hostname: str) -> Record:
    why = _("Mail to your domain comes to your server. Remove other MX records, or some mail goes there.")
    return Record("mx", "MX", name, f"10 {hostname}.", why)


def _spf(name: str) -> Record:
    why = _(
        "Says who may send in your name: your server, and Amazon SES for it. "
        "There may be only one such record; if you have one, add to it what stands between."
    )
    return Record("spf", "TXT", name, "v=spf1 mx include:amazonses.com ~all", why)


def _dkim(name: str, dkim: Mapping[str, str] | None) -> list[Record]:
    if not dkim:
        return []
    why = _("The key with which others check that mail from your domain was signed by your server.")
    return [Record("dkim", "TXT", f"{dkim['selector']}._domainkey.{name}", dkim["txt"], why)]


def _handed(row: HandedRecord) -> Record:
    why = {
        "ses-dkim": _(
            "Shows Amazon that the domain is yours, and lets it sign what it sends for you. Mail leaves once it is found; "
            "it must stay."
        ),
        "ses-mail-from": _(
            "Tells Amazon of mail that could not be delivered, at a name below your own domain."
        ),
        "ses-spf": _(
            "Says that Amazon may send by that name, so that the envelope of your mail is yours as well."
        ),
    }
    says = why.get(row.purpose, _("Amazon asks for it, to send in the name of your domain."))
    return Record(row.purpose, row.type, row.name, row.value, says)


def _dmarc(name: str) -> Record:
    why = _(
        "Asks others to report mail that pretends to come from you. It asks them to refuse nothing yet; "
        "once the reports are clean for some weeks, p=quarantine is safe. They come to postmaster, an address that "
        "every domain with mail must have: make it an alias of somebody who looks."
    )
    return Record("dmarc", "TXT", f"_dmarc.{name}", f"v=DMARC1; p=none; rua=mailto:postmaster@{name}", why)


def _service(name: str, service: str, hostname: str) -> Record:
    why = {
        "mail": _("The name of your mail server that people can remember."),
        "webmail": _("Where mail is read in a browser."),
        "autoconfig": _("Thunderbird and others set themselves up by it."),
        "autodiscover": _("Outlook and others set themselves up by it."),
        "mta-sts": _("Where other servers read that mail to you must be encrypted."),
    }
    return Record(service, "CNAME", f"{service}.{name}", f"{hostname}.", why[service])


def _policies(domain: Domain, hostname: str) -> list[Record]:
    why = _(
        "Tells other servers that there is such a rule, and by a new id that it has changed: set it anew after each change."
    )
    told = _("Asks other servers to report when they could not encrypt mail to you.")
    return [
        Record(
            "mta-sts-policy",
            "TXT",
            f"_mta-sts.{domain.name}",
            f"v=STSv1; id={policy_id(domain, hostname)}",
            why,
        ),
        Record(
            "tls-reports",
            "TXT",
            f"_smtp._tls.{domain.name}",
            f"v=TLSRPTv1; rua=mailto:postmaster@{domain.name}",
            told,
        ),
    ]


def policy_id(domain: Domain, hostname: str) -> str:
    """Another one for each policy, at most 32 letters and digits (RFC 8461, 3.1)."""
    return hashlib.sha256(f"{domain.mta_sts} {hostname}".encode()).hexdigest()[:20]


def _found_by_programs(name: str, hostname: str) -> list[Record]:
    """RFC 6186 and RFC 8314, 5.1."""
    why = {
        "imaps": (993, _("Mail programs find by it where to read mail.")),
        "submissions": (465, _("Mail programs find by it where to send mail.")),
        "submission": (587, _("The same for older mail programs.")),
        "autodiscover": (443, _("Outlook finds its settings by it where the name autodiscover is not set.")),
    }
    return [
        Record(f"srv-{service}", "SRV", f"_{service}._tcp.{name}", f"0 1 {port} {hostname}.", words)
        for service, (port, words) in why.items()
    ]


def zone(rows: Iterable[Record]) -> str:
    """The records as lines of a zone file, whose names are whole (RFC 1035, 5.1)."""
    return "".join(f"{row.name}. {TTL} IN {row.type} {_data(row)}\n" for row in rows)


def _data(row: Record) -> str:
    """A TXT record in strings that are short enough; everything else as it is."""
    if row.type != "TXT":
        return row.value
    parts = [row.value[start : start + LONGEST_STRING] for start in range(0, len(row.value), LONGEST_STRING)]
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
