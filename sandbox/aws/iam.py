"""Accounts, their users and keys: what the vendor's IAM keeps."""

from __future__ import annotations

import dataclasses
import json
import secrets
import string
from typing import Any

from sandbox.aws import policies
from sandbox.aws.store import Store
from sandbox.internet.store import now

KEY_LETTERS, SECRET_LETTERS = string.ascii_uppercase + "234567", string.ascii_letters + string.digits + "+/"
KINDS = {
    "user": "a long-term key of a user",
    "root": "a key of the account's owner",
    "temporary": "a temporary key of a role",
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# What the vendor's page for SMTP credentials gives to the user that it makes.
SENDING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}],
}


@dataclasses.dataclass(frozen=True)
class Key:
    """A key with whom it belongs to."""

    access_key: str
    secret: str = dataclasses.field(repr=False)
    account: str
    user: str
    kind: str
    token: str = dataclasses.field(repr=False)
    active: bool
    made: str

    @property
    def arn(self) -> str:
        if self.kind == "root":
            return f"arn:aws:iam::{self.account}:root"
        if self.kind == "temporary":
            return f"arn:aws:sts::{self.account}:assumed-role/{self.user}/session"
        return f"arn:aws:iam::{self.account}:user/{self.user}"

    @property
    def user_id(self) -> str:
        if self.kind == "root":
            return self.account
        letters = "".join(each for each in f"{self.user}{self.account}".upper() if each.isalnum())[:17]
        return f"AROA{letters}:session" if self.kind == "temporary" else f"AIDA{letters}"


class Iam:
    """Kept for as long as the sandbox's home is."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make_account(self, name: str) -> str:
        """Its twelve digits."""
        account = "".join(secrets.choice(string.digits) for _ in range(11))
        account = f"{secrets.randbelow(9) + 1}{account}"
        self._store.do("insert into aws_accounts (id, name) values (?, ?)", account, name)
        return account

    def accounts(self) -> list[dict[str, Any]]:
        return self._store.all("select * from aws_accounts order by rowid")

    def has(self, account: str) -> bool:
        return self._store.one("select 1 from aws_accounts where id = ?", account) is not None

    def put_user(self, account: str, name: str, policy: dict[str, Any]) -> None:
        """Makes the user or replaces its policy; raises PolicyError."""
        policies.check(policy)
        row = (account, name, json.dumps(policy))
        self._store.do("insert or replace into aws_users (account, name, policy) values (?, ?, ?)", *row)

    def users(self, account: str) -> list[dict[str, Any]]:
        return self._store.all("select * from aws_users where account = ? order by name", account)

    def policy(self, key: Key) -> dict[str, Any]:
        """What the key may do; nothing stands in the way of an account's owner."""
        if key.kind == "root":
            return EVERYTHING
        row = self._store.one(
            "select policy from aws_users where account = ? and name = ?", key.account, key.user
        )
        return dict(json.loads(row["policy"])) if row else {"Statement": []}

    def make_key(self, account: str, user: str = "", kind: str = "user") -> Key:
        """A key that is good from now on; the secret is told here only."""
        prefix = "ASIA" if kind == "temporary" else "AKIA"
        key = Key(
            prefix + _some(KEY_LETTERS, 16), _some(SECRET_LETTERS, 40), account, user, kind,
            _some(SECRET_LETTERS, 200) if kind == "temporary" else "", True, now(),
        )  # fmt: skip
        self.keep(key)
        return key

    def keep(self, key: Key) -> None:
        self._store.do(
            "insert or ignore into aws_keys (access_key, secret, account, user, kind, token, active, made)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            *dataclasses.astuple(key),
        )

    def key(self, access_key: str) -> Key | None:
        row = self._store.one("select * from aws_keys where access_key = ?", access_key)
        return _key(row) if row else None

    def keys(self) -> list[Key]:
        return [_key(row) for row in self._store.all("select * from aws_keys order by rowid")]

    def switch(self, access_key: str, active: bool) -> bool:
        """Whether there is such a key."""
        return self._store.do("update aws_keys set active = ? where access_key = ?", active, access_key) > 0

    def remove(self, access_key: str) -> bool:
        return self._store.do("delete from aws_keys where access_key = ?", access_key) > 0


def _key(row: dict[str, Any]) -> Key:
    return Key(**{**row, "active": bool(row["active"])})


def _some(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
