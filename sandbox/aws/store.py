"""What the cloud remembers: tables of its own in the file of the internet, because the SMTP endpoint reads and writes them too."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from sandbox.internet.store import Store as InternetStore

TABLES = """
create table if not exists aws_accounts (id text primary key, name text not null);
create table if not exists aws_users (
    account text not null, name text not null, policy text not null, primary key (account, name)) without rowid;
create table if not exists aws_keys (
    access_key text primary key, secret text not null, account text not null, user text not null, kind text not null,
    token text not null default '', active integer not null default 1, made text not null);
create table if not exists aws_regions (
    account text not null, region text not null, state text not null, max24 real, rate real, sent_before real not null default 0,
    details text not null default '{}', suppresses text not null default '["BOUNCE", "COMPLAINT"]',
    primary key (account, region)) without rowid;
create table if not exists aws_identities (
    account text not null, region text not null, name text not null, kind text not null, tokens text not null, made real not null,
    forced integer not null default 0, verified real, dkim_on integer not null default 1, mail_from text not null default '',
    on_mx text not null default 'USE_DEFAULT_VALUE', configuration_set text not null default '', bits text not null default 'RSA_1024_BIT',
    primary key (account, region, name)) without rowid;
create table if not exists aws_sets (
    account text not null, region text not null, name text not null, primary key (account, region, name)) without rowid;
create table if not exists aws_destinations (
    account text not null, region text not null, configuration_set text not null, name text not null, content text not null,
    primary key (account, region, configuration_set, name)) without rowid;
create table if not exists aws_suppressed (
    account text not null, region text not null, address text not null, reason text not null, at real not null,
    primary key (account, region, address)) without rowid;
create table if not exists aws_topics (
    arn text primary key, account text not null, name text not null, policy text not null, version text not null default '1');
create table if not exists aws_subscriptions (
    arn text primary key, topic text not null, protocol text not null, endpoint text not null, token text not null,
    confirmed integer not null default 0, authenticated integer not null default 0);
create table if not exists aws_messages (
    id integer primary key autoincrement, subscription text not null, endpoint text not null, kind text not null,
    message_id text not null, topic text not null, body text not null, at text not null, state text not null default 'waiting',
    tries integer not null default 0, due real not null default 0, said text not null default '');
create index if not exists aws_messages_due on aws_messages (state, due);
create table if not exists aws_letters (
    letter text primary key, account text not null, region text not null, identity text not null, source text not null,
    configuration_set text not null, returns_at text not null, recipients integer not null, at real not null);
create index if not exists aws_letters_sent on aws_letters (account, region, at);
create table if not exists aws_links (
    token text primary key, account text not null, region text not null, name text not null, made real not null,
    used integer not null default 0);
create table if not exists aws_settings (name text primary key, value text not null);
"""


class Store:
    """Opened anew for each piece of work, like the internet's."""

    def __init__(self, place: pathlib.Path | InternetStore) -> None:
        self._store = place if isinstance(place, InternetStore) else InternetStore(place)
        with self.open() as db:
            db.executescript(TABLES)

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one piece of work; all of it happens or nothing."""
        with self._store.open() as db:
            yield db

    def all(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with self.open() as db:
            return [dict(row) for row in db.execute(statement, values)]

    def one(self, statement: str, *values: object) -> dict[str, Any] | None:
        with self.open() as db:
            row = db.execute(statement, values).fetchone()
        return dict(row) if row else None

    def do(self, statement: str, *values: object) -> int:
        """How many rows it touched."""
        with self.open() as db:
            return db.execute(statement, values).rowcount

    def setting(self, name: str, default: str = "") -> str:
        row = self.one("select value from aws_settings where name = ?", name)
        return str(row["value"]) if row else default

    def set(self, name: str, value: str) -> None:
        self.do("insert or replace into aws_settings (name, value) values (?, ?)", name, value)
