"""Identities: domains whose records are really looked up in the DNS of this internet, and addresses."""

from __future__ import annotations

import dataclasses
import json
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from sandbox.aws import lookup
from sandbox.aws.errors import bad, exists, gone
from sandbox.aws.store import Store
from sandbox.internet.names import Names

PATIENCE = 72 * 3600.0  # seconds for which the vendor looks for the records
SHORT_ZONE = "dkim.amazonses.com"
# Regions whose tokens lead to a zone of their own; the vendor's older ones share one.
OWN_ZONE = (
    "ap-south-2",
    "ap-southeast-5",
    "ca-west-1",
    "eu-central-2",
    "me-central-1",
    "ap-southeast-3",
    "il-central-1",
)
LETTERS = string.ascii_lowercase + string.digits


@dataclasses.dataclass(frozen=True)
class Identity:
    """A row; `forced` is verified because somebody here said so."""

    account: str
    region: str
    name: str
    kind: str
    tokens: tuple[str, ...]
    made: float
    forced: bool
    verified: float | None
    dkim_on: bool
    mail_from: str
    on_mx: str
    configuration_set: str
    bits: str

    @property
    def arn(self) -> str:
        return f"arn:aws:ses:{self.region}:{self.account}:identity/{self.name}"

    @property
    def zone(self) -> str:
        return f"{self.region}.{SHORT_ZONE}" if self.region in OWN_ZONE else SHORT_ZONE


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a look at the DNS says of an identity's proof."""

    status: str
    why: str
    at: float


class Identities:
    """Of all accounts; `names` says what stands in the DNS at the moment."""

    def __init__(self, store: Store, names: Callable[[], Names]) -> None:
        self._store, self._names = store, names

    def make(
        self, account: str, region: str, name: str, configuration_set: str = "", forced: bool = False
    ) -> Identity:
        """Raises AwsError where it is there already or no name."""
        name = tidy(name)
        if self.find(account, region, name):
            raise exists(f"Email identity {name} already exist.")
        tokens = json.dumps(["".join(secrets.choice(LETTERS) for _ in range(32)) for _ in range(3)])
        kind = "EMAIL_ADDRESS" if "@" in name else "DOMAIN"
        self._store.do(
            "insert into aws_identities (account, region, name, kind, tokens, made, forced, configuration_set)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            account, region, name, kind, "[]" if kind == "EMAIL_ADDRESS" else tokens, time.time(), forced, configuration_set,
        )  # fmt: skip
        return self.get(account, region, name)

    def find(self, account: str, region: str, name: str) -> Identity | None:
        row = self._store.one(
            "select * from aws_identities where account = ? and region = ? and name = ?",
            account,
            region,
            name.lower(),
        )
        return _identity(row) if row else None

    def get(self, account: str, region: str, name: str) -> Identity:
        """Raises AwsError where it is not there."""
        found = self.find(account, region, name)
        if found is None:
            raise gone(f"Email identity {name} does not exist.")
        return found

    def all(self, account: str, region: str = "") -> list[Identity]:
        rows = self._store.all(
            "select * from aws_identities where account = ? and ? in ('', region) order by region, name",
            account,
            region,
        )
        return [_identity(row) for row in rows]

    def change(self, one: Identity, **columns: object) -> None:
        for column, value in columns.items():
            self._store.do(
                f"update aws_identities set {column} = ? where account = ? and region = ? and name = ?",
                value, one.account, one.region, one.name,
            )  # fmt: skip

    def delete(self, one: Identity) -> None:
        self._store.do(
            "delete from aws_identities where account = ? and region = ? and name = ?",
            one.account,
            one.region,
            one.name,
        )

    def look(self, one: Identity) -> Seen:
        """Looks at the records now. What was verified once and is so no longer fails only for a while, as at the vendor."""
        now = time.time()
        if one.forced:
            return Seen("SUCCESS", "", now)
        if one.kind == "EMAIL_ADDRESS":
            above = self.covering(one.account, one.region, one.name.partition("@")[2])
            return Seen("SUCCESS" if above and self.look(above).status == "SUCCESS" else "PENDING", "", now)
        why = self._wrong(one)
        if not why:
            self.change(one, verified=now)
            return Seen("SUCCESS", "", now)
        late = now - one.made > PATIENCE
        return Seen("TEMPORARY_FAILURE" if one.verified else "FAILED" if late else "PENDING", why, now)

    def _wrong(self, one: Identity) -> str:
        names = self._names()
        for token in one.tokens:
            wanted = f"{token}.{one.zone}"
            if why := lookup.cname(names, f"{token}._domainkey.{one.name}", wanted):
                return why
        return ""

    def mail_from(self, one: Identity) -> str:
        """The status of its MAIL FROM domain: one MX that leads to the service, and the service's name in its SPF."""
        names = self._names()
        wanted = f"10 feedback-smtp.{one.region}.amazonses.com."
        if lookup.values(names, one.mail_from, "MX") == [wanted] and any(
            "include:amazonses.com" in text and "v=spf1" in text
            for text in lookup.values(names, one.mail_from, "TXT")
        ):
            return "SUCCESS"
        return "FAILED" if time.time() - one.made > PATIENCE else "PENDING"

    def covering(self, account: str, region: str, name: str) -> Identity | None:
        """The identity that speaks for a domain or an address: itself, its domain, or a domain above that."""
        found = self.find(account, region, name)
        rest = name.partition("@")[2] if "@" in name else name.partition(".")[2]
        while found is None and "." in rest:
            found, rest = self.find(account, region, rest), rest.partition(".")[2]
        return found

    def may_speak(self, one: Identity | None) -> bool:
        """Whether something may be sent as it now."""
        return one is not None and self.look(one).status in ("SUCCESS", "TEMPORARY_FAILURE")


def tidy(name: str) -> str:
    """In small letters; raises AwsError for what cannot be an identity."""
    name = name.strip().lower()
    domain = name.rpartition("@")[2]
    if name.count("@") > 1 or "." not in domain or not all(part for part in domain.split(".")) or " " in name:
        raise bad(f"Invalid email address or domain<{name}>.")
    return name


def _identity(row: dict[str, Any]) -> Identity:
    told = {**row, "tokens": tuple(json.loads(row["tokens"]))}
    return Identity(**{**told, "forced": bool(row["forced"]), "dkim_on": bool(row["dkim_on"])})
