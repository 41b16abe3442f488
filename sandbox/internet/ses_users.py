"""Who may send by the sending service, made at the internet's own door: a key with domains that are verified at once.

Each is a user of an account of its own in the cloud, so it signs in and calls the API like every other.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3

from sandbox.aws.iam import SENDING, Iam, Key
from sandbox.aws.identities import Identities
from sandbox.aws.passwords import smtp_password
from sandbox.aws.regions import Regions
from sandbox.aws.store import Store as CloudStore
from sandbox.internet.addresses import REGIONS
from sandbox.internet.names import Names
from sandbox.internet.store import Store, now

__all__ = ["SesError", "User", "Users", "smtp_password"]

NAME = "smtp"
NO_LIMIT, FAST = -1.0, 1_000_000.0


class SesError(Exception):
    """The wish cannot be met; the text says why."""


@dataclasses.dataclass(frozen=True)
class User:
    """A long-term key, in one region, with the domains that are verified there."""

    access_key: str
    secret: str = dataclasses.field(repr=False)
    region: str
    domains: tuple[str, ...]

    @property
    def smtp_password(self) -> str:
        return smtp_password(self.secret, self.region)


class Users:
    """Kept for as long as the sandbox's home is."""

    def __init__(self, store: Store) -> None:
        self._store, cloud = store, CloudStore(store)
        self._iam, self._regions, self._identities = Iam(cloud), Regions(cloud), Identities(cloud, _no_names)
        for user in self.all():  # of a home that is older than the cloud
            if self._iam.key(user.access_key) is None:
                self._admit(user)

    def make(self, region: str, domains: list[str]) -> User:
        if region not in REGIONS:
            raise SesError(f"the region must be one of {', '.join(REGIONS)}")
        account = self._account(region)
        key = self._iam.make_key(account, NAME)
        user = User(key.access_key, key.secret, region, _tidy(domains))
        self._speak_for(account, user)
        with self._store.open() as db:
            row = [user.access_key, user.secret, user.region, json.dumps(user.domains)]
            db.execute("insert into ses_users (access_key, secret, region, domains) values (?, ?, ?, ?)", row)
        return user

    def _account(self, region: str) -> str:
        """In production, and without limits that would surprise whoever only wants to send."""
        account = self._iam.make_account("made at the internet's page")
        self._iam.put_user(account, NAME, SENDING)
        self._regions.choose(account, region, "production")
        self._regions.limit(account, region, max24=NO_LIMIT, rate=FAST, sent_before=None)
        return account

    def _admit(self, user: User) -> None:
        account = self._account(user.region)
        self._iam.keep(Key(user.access_key, user.secret, account, NAME, "user", "", True, now()))
        self._speak_for(account, user)

    def _speak_for(self, account: str, user: User) -> None:
        """These are the account's verified domains, and no others."""
        for one in self._identities.all(account, user.region):
            self._identities.delete(one)
        for domain in user.domains:
            self._identities.make(account, user.region, domain, forced=True)

    def verify(self, access_key: str, domains: list[str]) -> bool:
        """From now on these are the user's verified domains; says whether there is such a user."""
        with self._store.open() as db:
            row = [json.dumps(_tidy(domains)), access_key]
            db.execute("update ses_users set domains = ? where access_key = ?", row)
        user, key = self.known(access_key), self._iam.key(access_key)
        if user and key:
            self._speak_for(key.account, user)
        return user is not None

    def remove(self, access_key: str) -> bool:
        self._iam.remove(access_key)
        with self._store.open() as db:
            return db.execute("delete from ses_users where access_key = ?", [access_key]).rowcount > 0

    def known(self, access_key: str) -> User | None:
        with self._store.open() as db:
            row = db.execute("select * from ses_users where access_key = ?", [access_key]).fetchone()
        return _user(row) if row else None

    def all(self) -> list[User]:
        with self._store.open() as db:
            return [_user(row) for row in db.execute("select * from ses_users order by rowid")]


def _user(row: sqlite3.Row) -> User:
    return User(row["access_key"], row["secret"], row["region"], tuple(json.loads(row["domains"])))


def _tidy(domains: list[str]) -> tuple[str, ...]:
    return tuple(sorted({each.strip().rstrip(".").lower() for each in domains}))


def _no_names() -> Names:
    raise SesError("domains are verified here without being looked up")
