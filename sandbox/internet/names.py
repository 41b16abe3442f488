"""Who has which name: what was entered here, what machines are called at the hosting provider, and our own few names."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import json
import pathlib
import re
import sqlite3
from collections.abc import Iterable

from sandbox.internet import addresses
from sandbox.internet.records import LONGEST_TTL, Record, record
from sandbox.internet.signing import SELECTOR, DkimKey
from sandbox.internet.store import Store

SES = re.compile(r"email-smtp\.[a-z0-9-]+\.amazonaws\.com")
SES_FEEDBACK = re.compile(r"(feedback-smtp\.)?[a-z0-9-]+\.amazonses\.com")
SES_KEYS = re.compile(r"[a-z0-9]{32}(\.[a-z0-9-]+)?\.dkim\.amazonses\.com")
PRESET, MACHINE, ENTERED = "always here", "a machine", "entered"
MOST_ALIASES = 8


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is known; a name that does not exist is another thing than one without such records."""

    exists: bool
    records: list[Record]

    def values(self, kind: str) -> list[str]:
        return [record.value for record in self.records if record.type == kind]


class Names:
    """The one truth for the name server, for mail that is sent from outside, and for the page."""

    def __init__(self, home: pathlib.Path, network: ipaddress.IPv4Network) -> None:
        self._store, self._machines, self.network = Store(home), home / "hetzner.sqlite", network
        self._dkim = DkimKey(home).txt
        self._preset = list(_preset(network, self._dkim))

    def entered(self) -> list[Record]:
        with self._store.open() as db:
            return [_record(row) for row in db.execute("select * from names order by name, type, value")]

    def add(self, records: Iterable[Record]) -> None:
        with self._store.open() as db:
            db.executemany(
                "insert or ignore into names (name, type, value, ttl) values (?, ?, ?, ?)",
                [(one.name, one.type, one.value, LONGEST_TTL) for one in records],
            )

    def remove(self, name: str, kind: str = "", value: str = "") -> int:
        """How many records went; without type or value, all that the name has."""
        with self._store.open() as db:
            return db.execute(
                "delete from names where name = ? and ? in ('', type) and ? in ('', value)",
                [name, kind, value],
            ).rowcount

    def all(self) -> list[tuple[Record, str]]:
        """Every name with where it comes from, except those that follow a pattern."""
        told = [
            (self.entered(), ENTERED),
            (self._of_machines(), MACHINE),
            (self._preset, PRESET),
        ]
        return [(record, source) for records, source in told for record in records]

    def lookup(self, name: str, kind: str) -> Answer:
        """Follows aliases, as a resolver does for its clients."""
        found: list[Record] = []
        for _ in range(MOST_ALIASES):
            here = self._at(name)
            if here is None:
                return Answer(bool(found), found)
            wanted = [one for one in here if kind in (one.type, "ANY")]
            alias = next((one for one in here if one.type == "CNAME"), None)
            if wanted or alias is None:
                return Answer(True, found + wanted)
            found.append(alias)
            name = alias.value.rstrip(".").lower()
        return Answer(True, found)

    def _at(self, name: str) -> list[Record] | None:
        """What stands at a name, with wildcards; None if there is no such name."""
        others = [*self._preset, *self._of_machines(), *_of_pattern(name, self.network, self._dkim)]
        entered = self._entered_at(name)
        kinds = {one.type for one in entered}
        here = entered + [one for one in others if one.name == name and one.type not in kinds]
        if here or self._is_between(name, others):
            return here
        parent = name.partition(".")[2]
        return self._wildcard(name, parent) if parent else None

    def _entered_at(self, name: str) -> list[Record]:
        with self._store.open() as db:
            return [_record(row) for row in db.execute("select * from names where name = ?", [name])]

    def _is_between(self, name: str, others: list[Record]) -> bool:
        """Whether other names lie below it: then it exists, without records of its own."""
        below = f".{name}"
        with self._store.open() as db:
            deeper = "select 1 from names where substr(name, -length(?)) = ? limit 1"
            row = db.execute(deeper, [below, below]).fetchone()
        return row is not None or any(one.name.endswith(below) for one in others)

    def _wildcard(self, name: str, parent: str) -> list[Record] | None:
        while parent:
            if stars := self._entered_at(f"*.{parent}"):
                return [dataclasses.replace(star, name=name) for star in stars]
            if self._entered_at(parent):
                return None
            parent = parent.partition(".")[2]
        return None

    def _of_machines(self) -> list[Record]:
        """Both ways: the name of each address, and the address of each name."""
        records = []
        for address, name in _machines(self._machines):
            records += [Record(name, "A", address), Record(reverse(address), "PTR", f"{name}.")]
        return records


def reverse(address: str) -> str:
    return ipaddress.ip_address(address).reverse_pointer


def _record(row: sqlite3.Row) -> Record:
    return Record(row["name"], row["type"], row["value"])


def _preset(network: ipaddress.IPv4Network, dkim: str) -> Iterable[Record]:
    for place, name in addresses.MACHINE_NAMES.items():
        address = addresses.of(network, place)
        yield Record(name, "A", address)
        yield Record(reverse(address), "PTR", f"{name}.")
    outside, ses = addresses.of(network, addresses.OUTSIDE), addresses.of(network, addresses.SES)
    yield Record(addresses.OUTSIDE_DOMAIN, "MX", f"10 {addresses.OUTSIDE_NAME}.")
    yield Record(addresses.OUTSIDE_DOMAIN, "TXT", f'"v=spf1 ip4:{outside} -all"')
    yield Record(addresses.OUTSIDE_NAME, "TXT", '"v=spf1 a -all"')
    yield Record("amazonses.com", "TXT", f'"v=spf1 ip4:{ses} -all"')
    for domain in (addresses.OUTSIDE_DOMAIN, "amazonses.com"):
        yield record(f"{SELECTOR}._domainkey.{domain}", "TXT", dkim)


def _of_pattern(name: str, network: ipaddress.IPv4Network, dkim: str) -> Iterable[Record]:
    """The vendor has one name for each region; all of them lead to the same stand-in."""
    ses = addresses.of(network, addresses.SES)
    if SES.fullmatch(name):
        yield Record(name, "A", ses)
    elif SES_KEYS.fullmatch(name):  # what the aliases of customers' domains lead to
        yield record(name, "TXT", dkim)
    elif SES_FEEDBACK.fullmatch(name) and name != addresses.SES_SENDING_NAME:
        yield Record(name, "A", ses)
        yield Record(name, "MX", f"10 {name}.")
        yield Record(name, "TXT", '"v=spf1 include:amazonses.com -all"')


def _machines(file: pathlib.Path) -> list[tuple[str, str]]:
    """Addresses and names of living machines; none where the provider has not begun yet."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        ) as db:
            living = "select ipv4, dns_ptr from servers where gone is null and ipv4 != '' order by id"
            rows = db.execute(living).fetchall()
    except sqlite3.OperationalError:
        return []
    return [(ipv4, json.loads(pointers).get(ipv4) or provider_name(ipv4)) for ipv4, pointers in rows]


def provider_name(ipv4: str) -> str:
    """What the provider calls an address whose owner gave it no name; it resolves, too."""
    return f"static.{'.'.join(reversed(ipv4.split('.')))}.clients.your-server.de"
