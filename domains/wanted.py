"""What a server's mail system should be: the rows as plain data, exactly as the agent's order wants them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from domains import postmasters, ses
from domains.models import SLOW_PER_HOUR, Alias, Domain, Erasure, Letter, Mailbox, WayOut
from domains.ways import Ways, caught_by

ERASED_AT_ONCE = 200  # more than that follows when these are done: a report tells of no more
LETTERS_AT_ONCE = 5
LETTERS_WAIT = timedelta(minutes=30)  # a test mail that comes later tells whoever asked for it nothing
Plain = list[dict[str, Any]]
BOUNCES_COME_FROM = "postmaster"  # stands for mail that has no sender which SES accepts


def mail(home: UUID) -> dict[str, Any]:
    """The fields `domains`, `mailboxes`, `aliases`, `relay`, `erase` and `letters` of the order of this server; as many
    queries, however many rows.

    The same rows give the same value, so that whoever keeps the server can compare it with what was ordered last.
    """
    rows = _Rows(home)
    return {
        "domains": rows.domains,
        "mailboxes": [_forwarding(one, rows.here) for one in rows.mailboxes],
        "aliases": sorted([*rows.made, *rows.standing_in()], key=_by_domain),
        "relay": _relay(home),
        "erase": _erase(home),
        "letters": _letters(home),
    }


def standing_in(domain: Domain) -> tuple[list[str], list[str]]:
    """The addresses of a domain that it must have and nobody made, and who gets their mail."""
    found = [one for one in _Rows(domain.home).standing_in() if one["address"].endswith(f"@{domain.name}")]
    return [one["address"] for one in found], found[0]["targets"] if found else []


class _Rows:
    """What a server's customers made; `made` are the aliases that lead somewhere, `here` all addresses of theirs."""

    def __init__(self, home: UUID) -> None:
        self._domains, self._boxes = _domain_rows(home), _mailbox_rows(home)
        self.domains = [_domain(row) for row in self._domains]
        self.mailboxes = [_mailbox(row) for row in self._boxes]
        aliases = _aliases(home)
        self.made = _leading_somewhere(aliases, _ways(self.domains, self.mailboxes, aliases))
        self.here = _ways(self.domains, self.mailboxes, self.made)

    def standing_in(self) -> Plain:
        """For addresses that every domain must have, where nobody else takes their mail."""
        first = postmasters.first_of(self._boxes)
        missing = [
            (f"{local}@{one.name}", one)
            for one in self._domains
            for local in postmasters.LOCALS
            if not self.here.found(f"{local}@{one.name}")
        ]
        found = [{"address": address, "targets": postmasters.of(one, first)} for address, one in missing]
        return _leading_somewhere(found, self.here)


def _ways(domains: Plain, mailboxes: Plain, aliases: Plain) -> Ways:
    return Ways(
        {one["name"]: one["catch_all"] for one in domains},
        {one["address"]: one["forward"] for one in mailboxes},
        {one["address"]: one["targets"] for one in aliases},
    )


def _sound(address: str, targets: list[str], here: Ways) -> list[str]:
    """Those that somebody has, and from which mail does not come back: where a mailbox was removed, another may catch its mail."""
    return [one for one in targets if not here.is_missing(one) and not here.circle(address, over=one)]


def _forwarding(mailbox: dict[str, Any], here: Ways) -> dict[str, Any]:
    """Mail that can go nowhere else stays."""
    forward = _sound(mailbox["address"], mailbox["forward"], here)
    return {**mailbox, "forward": forward, "keep_copy": mailbox["keep_copy"] or not forward}


def _leading_somewhere(aliases: Plain, here: Ways) -> Plain:
    """Mail to an alias that leads to nobody any more is refused at the door rather than bounced later."""
    cleaned = ({**one, "targets": _sound(one["address"], one["targets"], here)} for one in aliases)
    return [one for one in cleaned if one["targets"]]


def _by_domain(alias: dict[str, Any]) -> tuple[str, str]:
    local, _at, domain = alias["address"].rpartition("@")
    return domain, local


def _domain_rows(home: UUID) -> list[Domain]:
    rows = Domain.objects.filter(home=home).select_related("catch_all__domain")
    return list(rows.order_by("name"))


def _domain(row: Domain) -> dict[str, Any]:
    return {"name": row.name, "catch_all": caught_by(row), "mta_sts": str(row.mta_sts)}


def _mailbox_rows(home: UUID) -> list[Mailbox]:
    rows = Mailbox.objects.living().filter(domain__home=home).select_related("domain")
    return list(rows.prefetch_related("app_passwords").order_by("domain__name", "local"))


def _mailbox(row: Mailbox) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "address": row.address,
        "name": row.name,
        "password": row.password or None,
        "app_passwords": _app_passwords(row),
        "quota": row.quota,
        "suspended": row.suspended_at is not None,
        "per_hour": min(row.per_hour, SLOW_PER_HOUR) if row.slowed_at else row.per_hour,
        "per_day": row.per_day,
        "forward": list(row.forward),
        "keep_copy": row.keep_copy,
        "vacation": _vacation(row),
        "releases": row.releases,
    }


def _app_passwords(row: Mailbox) -> list[dict[str, str]]:
    """The eldest first, so that a new one moves none of the others."""
    rows = sorted(row.app_passwords.all(), key=lambda one: (one.added_at, one.pk))
    return [{"id": str(one.pk), "hash": one.hash} for one in rows]


def _vacation(row: Mailbox) -> dict[str, str | None] | None:
    if not row.vacation_text:
        return None
    begins, ends = row.vacation_begins, row.vacation_ends
    return {
        "subject": row.vacation_subject,
        "text": row.vacation_text,
        "begins": begins.isoformat() if begins else None,
        "ends": ends.isoformat() if ends else None,
    }


def _aliases(home: UUID) -> Plain:
    rows = Alias.objects.filter(domain__home=home).select_related("domain")
    return [{"address": row.address, "targets": list(row.targets)} for row in rows]


def _relay(home: UUID) -> dict[str, Any] | None:
    """Also if it is sealed to a key that the agent no longer has: the agent says so, and the page then asks for it anew."""
    row = WayOut.objects.filter(home=home).select_related("sender").first()
    if row is None:
        return None
    return {
        "host": ses.endpoint(row.region),
        "port": row.port,
        "username": row.access_key,
        "sealed": row.sealed,
        "sender": f"{BOUNCES_COME_FROM}@{row.sender.name}",
    }


def _erase(home: UUID) -> list[str]:
    rows = Erasure.objects.under_way().filter(home=home).order_by("ordered_at", "pk")
    return [str(one) for one in rows.values_list("pk", flat=True)[:ERASED_AT_ONCE]]


def _letters(home: UUID) -> list[dict[str, str]]:
    """The eldest first: one that was left out never comes back, and so is never sent twice."""
    rows = Letter.objects.filter(home=home, answered_at=None, asked_at__gt=timezone.now() - LETTERS_WAIT)
    found = rows.order_by("asked_at", "pk")[:LETTERS_AT_ONCE]
    return [{"id": str(one.pk), "to": one.to, "from": one.sender} for one in found]
