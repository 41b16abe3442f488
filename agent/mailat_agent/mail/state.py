"""What an order wants of the mail system, read from its field `mail` and checked before anything is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from . import letter
from .patterns import ADDRESS, BASE64, HASH, HOST, ID, OURS, WORD, Malformed

MOST = 5000  # entries of any list
T = TypeVar("T")


@dataclass(frozen=True)
class Domain:
    """A domain whose mail lives here; `catch_all` takes what no mailbox or alias does."""

    name: str
    catch_all: str | None
    mta_sts: str  # "none", "testing" or "enforce"


@dataclass(frozen=True, repr=False)
class AppPassword:
    """One of a mailbox's further passwords, for one device; only its hash, in Dovecot's form."""

    id: str
    hash: str


@dataclass(frozen=True)
class Vacation:
    """The answer while somebody is away; `begins` and `ends` are days in ISO 8601 or None."""

    subject: str
    text: str
    begins: str | None
    ends: str | None


@dataclass(frozen=True, repr=False)
class Mailbox:
    """One mailbox; `quota` in bytes, `per_hour` and `per_day` in recipients.

    `id` says whose mail it is: an address may pass to another person, who is another id and never sees mail of the first.
    A suspended one receives and cannot sign in; `releases` counts how often its owner lifted a stop.
    """

    id: str
    address: str
    name: str
    password: str | None
    app_passwords: tuple[AppPassword, ...]
    quota: int
    suspended: bool
    per_hour: int
    per_day: int
    forward: tuple[str, ...]
    keep_copy: bool
    vacation: Vacation | None
    releases: int


@dataclass(frozen=True)
class Alias:
    """An address whose mail goes to others, here or elsewhere."""

    address: str
    targets: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Relay:
    """The customer's way out: SES' SMTP endpoint; `sealed` is the password, HPKE-sealed to this host, in base64.

    `sender` is an address at a domain of the customer's, for mail that has no sender that SES accepts.
    """

    host: str
    port: int
    username: str
    sealed: str
    sender: str


@dataclass(frozen=True)
class Acme:
    """Where certificates come from: the directory of an ACME server, and whom it may write to ("" for nobody)."""

    directory: str
    contact: str


@dataclass(frozen=True)
class Window:
    """When the host may reboot: days (0 is Monday), first hour (UTC) and number of hours."""

    days: tuple[int, ...]
    hour: int
    hours: int


@dataclass(frozen=True)
class Mail:
    """All that is wanted of the mail system; `canary_every` in seconds, `erase` the ids whose mail is deleted for good.

    `letters` are test mails, each sent once.
    """

    domains: tuple[Domain, ...]
    mailboxes: tuple[Mailbox, ...]
    aliases: tuple[Alias, ...]
    relay: Relay | None
    acme: Acme
    canary_every: int
    reboot: Window
    erase: tuple[str, ...] = ()
    letters: tuple[letter.Letter, ...] = ()


def read(value: object) -> Mail:
    """The field `mail` of an order; raises Malformed."""
    fields = _object(value, "mail")
    return _consistent(_mail(fields))


def _mail(fields: dict[str, Any]) -> Mail:
    return Mail(
        domains=_each(fields, "domains", _domain),
        mailboxes=_each(fields, "mailboxes", _mailbox),
        aliases=_each(fields, "aliases", _alias),
        relay=_relay(fields["relay"]) if fields.get("relay") is not None else None,
        acme=_acme(_object(fields.get("acme"), "acme")),
        canary_every=_whole(fields, "canary_every", 10, 86400),
        reboot=_window(_object(fields.get("reboot"), "reboot")),
        erase=_matches(fields, "erase", ID) if "erase" in fields else (),
        letters=_each(fields, "letters", letter.read) if "letters" in fields else (),
    )


def _consistent(mail: Mail) -> Mail:
    """One owner of each address and one address of each owner; nobody's mail is both wanted and to be erased."""
    here = {domain.name for domain in mail.domains}
    if len(here) < len(mail.domains):
        raise Malformed("domains")
    for name, rows in (("mailboxes", mail.mailboxes), ("aliases", mail.aliases)):
        addresses = [row.address for row in rows]
        if len(set(addresses)) < len(addresses) or not all(a.partition("@")[2] in here for a in addresses):
            raise Malformed(name)
    owners = {box.id for box in mail.mailboxes}
    if len(owners) < len(mail.mailboxes):
        raise Malformed("id")
    if owners.intersection(mail.erase):
        raise Malformed("erase")
    return mail


def _domain(fields: dict[str, Any]) -> Domain:
    return Domain(
        name=_match(fields, "name", HOST),
        catch_all=_match(fields, "catch_all", OURS) if fields.get("catch_all") is not None else None,
        mta_sts=_one_of(fields, "mta_sts", ("none", "testing", "enforce")),
    )


def _mailbox(fields: dict[str, Any]) -> Mailbox:
    return Mailbox(
        id=_match(fields, "id", ID),
        address=_match(fields, "address", OURS),
        name=_text(fields, "name", 120),
        password=_match(fields, "password", HASH) if fields.get("password") is not None else None,
        app_passwords=_each(fields, "app_passwords", _app_password),
        quota=_whole(fields, "quota", 0, 2**50),
        suspended=_flag(fields, "suspended"),
        per_hour=_whole(fields, "per_hour", 1, 10**6),
        per_day=_whole(fields, "per_day", 1, 10**7),
        forward=_matches(fields, "forward", ADDRESS),
        keep_copy=_flag(fields, "keep_copy"),
        vacation=_vacation(fields["vacation"]) if fields.get("vacation") is not None else None,
        releases=_whole(fields, "releases", 0, 2**31 - 1),
    )


def _app_password(fields: dict[str, Any]) -> AppPassword:
    return AppPassword(_match(fields, "id", WORD), _match(fields, "hash", HASH))


def _vacation(value: object) -> Vacation:
    fields = _object(value, "vacation")
    return Vacation(
        subject=_text(fields, "subject", 200),
        text=_text(fields, "text", 5000, lines=True),
        begins=_day(fields, "begins"),
        ends=_day(fields, "ends"),
    )


def _alias(fields: dict[str, Any]) -> Alias:
    return Alias(_match(fields, "address", OURS), _matches(fields, "targets", ADDRESS))


def _relay(value: object) -> Relay:
    fields = _object(value, "relay")
    return Relay(
        host=_match(fields, "host", HOST),
        port=_whole(fields, "port", 1, 65535),
        username=_match(fields, "username", re.compile(r"\w{16,128}", re.ASCII)),
        sealed=_match(fields, "sealed", BASE64),
        sender=_match(fields, "sender", ADDRESS),
    )


def _acme(fields: dict[str, Any]) -> Acme:
    directory = _text(fields, "directory", 500)
    if not re.fullmatch(r"https://[^\s'\"\\]+", directory):
        raise Malformed("directory")
    return Acme(directory, _match(fields, "contact", ADDRESS) if fields.get("contact") else "")


def _window(fields: dict[str, Any]) -> Window:
    days = fields.get("days")
    if not isinstance(days, list) or not all(type(day) is int and 0 <= day <= 6 for day in days):
        raise Malformed("days")
    return Window(tuple(days), _whole(fields, "hour", 0, 23), _whole(fields, "hours", 1, 24))


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(name)
    return value


def _each(fields: dict[str, Any], name: str, read_one: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    values = fields.get(name)
    if not isinstance(values, list) or len(values) > MOST:
        raise Malformed(name)
    return tuple(read_one(_object(value, name)) for value in values)


def _matches(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    values = fields.get(name)
    if not isinstance(values, list) or len(values) > MOST:
        raise Malformed(name)
    if not all(isinstance(value, str) and pattern.fullmatch(value) for value in values):
        raise Malformed(name)
    return tuple(values)


def _match(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(name)
    return value


def _text(fields: dict[str, Any], name: str, most: int, *, lines: bool = False) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise Malformed(name)
    if any((ord(letter) < 32 and not (lines and letter in "\n\t")) or ord(letter) == 127 for letter in value):
        raise Malformed(name)
    return value


def _one_of(fields: dict[str, Any], name: str, words: tuple[str, ...]) -> str:
    value = fields.get(name)
    if value not in words:
        raise Malformed(name)
    return str(value)


def _day(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    return _match(fields, name, re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII))


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise Malformed(name)
    return value


def _whole(fields: dict[str, Any], name: str, least: int, most: int) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Malformed(name)
    return value
