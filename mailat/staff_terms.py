"""What words can mean: each way of naming something is looked up where an index has it, whole and never in part."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import idna
from django.conf import settings
from django.db.models import BigAutoField, Model, Q, QuerySet
from django.urls import Resolver404, resolve

from accounts.models import Account, Letter, Membership, User
from audit.models import Deed, Event, Fault, Receipt
from audit.staff_lists import as_number, as_uuid
from backups.models import Job, Repository
from billing.models import Ping, Subscription
from domains.models import Alias, Domain, Erasure, Mailbox
from domains.models import Letter as TestLetter
from engine.models import Alarm, Run
from sending.models import Credentials
from servers.models import Replacement, Server

FEW = 5  # rows of one kind
AROUND = " \t\r\n<>()[]{}\"'“”„,;:!?"  # what stands around a word that was copied with its sentence
REFERENCE = re.compile(r"[A-Za-z0-9-]{8,64}")
LABELS = (
    "reference:",
    "reference",
    "subscription:",
    "sale:",
    "receipt:",
    "order:",
    "ip:",
    "server:",
    "domain:",
)


@dataclass(frozen=True)
class Found:
    """A row, whose it is, and what to call it where its own name says too little."""

    row: Model
    account: UUID | None = None
    says: str = ""


def clean(said: str) -> str:
    """The word itself, out of what was copied: an address with a name before it, a link to one of our pages."""
    word = said.strip(AROUND)
    if word.lower().startswith(("http://", "https://")):
        return _of_link(word)
    if "@" in word and (address := parseaddr(said.strip())[1]):
        return address.strip(AROUND + ".")
    for label in LABELS:
        rest = word[len(label) :]
        if word.lower().startswith(label) and rest[:1].isspace():
            return rest.strip(AROUND)
    return word.rstrip(".").removeprefix("mailat-")  # as machines are called at Hetzner


def _of_link(link: str) -> str:
    """A customer copies the address of the page that they look at; the id in it says of what."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    try:
        ids = [value for value in resolve(parts.path).kwargs.values() if isinstance(value, UUID | int)]
    except Resolver404:
        ids = []
    return str(ids[0]) if ids else parts.hostname or ""


def is_reference(term: str) -> bool:
    """Whether it can be the reference that a page of ours showed."""
    return bool(REFERENCE.fullmatch(term)) and as_uuid(term) is None and as_number(term) is None


def look(term: str) -> Iterator[Found]:
    """Everything that has exactly this name, the likeliest first."""
    kind, colon, key = term.partition(":")
    if (one := as_uuid(term)) is not None:
        yield from _ids(one)
    elif address := _as_ip(term):
        yield from _at(address)
    elif colon and kind in SUBJECTS:
        yield from _subject(kind, key)
    elif "@" in term:
        yield from _address(term.lower())
    elif (number := as_number(term)) is not None:
        yield from _numbers(number, term)
    else:
        yield from _name(term)


def _as_ip(term: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(term)
    except ValueError:
        return None


def _of(
    rows: QuerySet[Any], account: Callable[[Any], UUID | None], says: Callable[[Any], str] = str
) -> Iterator[Found]:
    for row in rows[:FEW]:
        yield Found(row, account(row), says(row))


def mine(row: Any) -> UUID | None:
    """Of rows that name their account themselves."""
    return row.account_id


def nobodys(row: Any) -> UUID | None:
    return None


def customer(account: Account) -> Found:
    return Found(account, account.pk, account.name)


def _ids(one: UUID) -> Iterator[Found]:
    """Our own ids, as they stand in the addresses of our pages; some kinds share one, and then all are shown."""
    yield from map(customer, Account.objects.filter(pk=one))
    yield from _of(Server.objects.filter(pk=one), mine)
    yield from _of(Subscription.objects.filter(pk=one), mine)
    yield from _of(Domain.objects.filter(pk=one), mine)
    yield from _of(Mailbox.objects.filter(pk=one).select_related("domain"), lambda row: row.domain.account_id)
    yield from _of(Receipt.objects.filter(pk=one), mine)
    yield from _of(Letter.objects.filter(pk=one), mine)
    yield from _of(TestLetter.objects.filter(pk=one), mine)
    yield from _of(
        Job.objects.filter(pk=one).select_related("repository"), lambda row: row.repository.account_id
    )
    yield from _of(Credentials.objects.filter(pk=one), mine, lambda row: f"…{row.access_key[-4:]}")
    yield from _of(Deed.objects.filter(pk=one), nobodys)


def _at(address: IPv4Address | IPv6Address) -> Iterator[Found]:
    """A server has it, or had it before it moved to another machine."""
    name = f"ipv{address.version}"
    yield from _of(Server.objects.filter(**{name: str(address)}), mine)
    moved = Replacement.objects.filter(**{f"old_{name}": str(address)}).select_related("server")
    yield from _of(moved, lambda row: row.server.account_id)


def _subject(kind: str, key: str) -> Iterator[Found]:
    """As events, runs and alarms name it."""
    model = SUBJECTS[kind]
    field = model._meta.pk
    one = as_number(key) if isinstance(field, BigAutoField) else as_uuid(key)
    if one is not None:
        yield from _of(model._default_manager.filter(pk=one), lambda row: getattr(row, "account_id", None))


SUBJECTS: dict[str, type[Model]] = {
    "account": Account,
    "alarm": Alarm,
    "domain": Domain,
    "letter": Letter,
    "mailbox": Mailbox,
    "ping": Ping,
    "repository": Repository,
    "run": Run,
    "server": Server,
    "staff": User,
    "subscription": Subscription,
    "user": User,
}


def _address(address: str) -> Iterator[Found]:
    """Of a person who signs in, of a buyer as Gumroad knows them, of a mailbox or an alias, or only one we wrote to."""
    local, _at, domain = address.rpartition("@")
    domain = ascii_name(domain)
    customers = {part.account_id: part for part in _parts(address)}
    yield from (customer(part.account) for part in customers.values())
    if not customers:
        yield from _of(User.objects.filter(email=address), nobodys)
    bought = Subscription.objects.filter(email__iexact=address).exclude(account_id__in=customers)
    yield from _of(bought.order_by("-began_at"), mine)
    yield from _boxes(local, domain)
    if not customers:
        yield from _of(Letter.objects.filter(to=address).order_by("-written_at"), mine)


def _parts(address: str) -> list[Membership]:
    found = Membership.objects.filter(user__email=address).select_related("account")
    return list(found.order_by("since")[:FEW])


def _boxes(local: str, domain: str) -> Iterator[Found]:
    """The mailbox, removed ones too; else what catches the address, or the domain that it would be in."""
    at = Q(local=local, domain__name=domain)
    found = [
        *_of(Mailbox.objects.filter(at).select_related("domain"), lambda row: row.domain.account_id),
        *_of(Erasure.objects.filter(address=f"{local}@{domain}").order_by("-asked_at"), mine),
    ]
    found += [_alias(one) for one in Alias.objects.filter(at).select_related("domain")]
    yield from found or _of(Domain.objects.filter(name=domain), mine)


def _alias(alias: Alias) -> Found:
    return Found(alias.domain, alias.domain.account_id, f"{alias} → {', '.join(alias.targets)}")


def _numbers(number: int, term: str) -> Iterator[Found]:
    """What has numbers of its own: a run is also the reference of what it did."""
    if number >= 2**63:
        return
    yield from _of(Run.objects.filter(pk=number), nobodys)
    yield from _of(Server.objects.filter(machine_id=number), mine)
    yield from _of(User.objects.filter(pk=number), nobodys)
    yield from _of(Ping.objects.filter(pk=number).defer("body"), nobodys)
    yield from _of(Alarm.objects.filter(pk=number), nobodys)
    yield from _of(Event.objects.filter(pk=number), mine)
    yield from _sold(term)


def _name(term: str) -> Iterator[Found]:
    """A domain, a server by its name or its host's, something sold, or the reference of an error."""
    name = ascii_name(term)
    yield from _of(Domain.objects.filter(name=name), mine)
    first, _dot, rest = name.partition(".")
    if rest in ("", settings.SERVER_DOMAIN):
        yield from _of(Server.objects.filter(name=first).order_by("-wanted_at"), mine)
    yield from _sold(term)
    if is_reference(term):
        yield from _of(Fault.objects.filter(reference=term).order_by("-id"), nobodys)
        yield from _of(Event.objects.filter(reference=term).order_by("-id"), mine)


def _sold(term: str) -> Iterator[Found]:
    """Gumroad's id of a subscription, or what pings were about: a sale or a subscription."""
    found = list(_of(Subscription.objects.filter(gumroad_id=term), mine))
    pings = Ping.objects.filter(about=term).defer("body").select_related("subscription").order_by("-id")
    yield from found
    if not found:
        yield from _of(pings, lambda row: row.subscription and row.subscription.account_id)


def ascii_name(name: str) -> str:
    """As domains are kept: in lower case, other letters as punycode."""
    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return name.lower()
