"""What the stand-in remembers, in one SQLite file. Moments are Unix seconds, so that all of them can be made older."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import queue
import sqlite3
import time
from collections.abc import Iterator

TABLES = """
create table if not exists subscriptions (
    number integer primary key autoincrement, id text not null unique, email text not null, full_name text not null,
    tier text not null, recurrence text not null, created real not null, paid_until real not null, next_tier text,
    next_recurrence text, requested_at real, cancelled_at real, cancelled_by text, overdue_since real, failed_at real,
    deactivated_at real, license_key text not null, custom_fields text not null, test integer not null);
create index if not exists of_buyer on subscriptions (email);
create table if not exists sales (
    number integer primary key autoincrement, id text not null unique, subscription text not null, created real not null,
    price integer not null, tier text not null, recurrence text not null, recurring integer not null,
    refunded_cents integer not null default 0, disputed integer not null default 0,
    dispute_won integer not null default 0, url_params text not null);
create index if not exists of_subscription on sales (subscription);
create table if not exists pings (
    id integer primary key autoincrement, resource text not null, about text not null, more text not null,
    url text not null, fields text, created real not null, due real not null, retries integer not null default 0,
    state text not null);
create index if not exists next_ping on pings (state, due);
create table if not exists attempts (
    id integer primary key autoincrement, ping integer not null, at real not null, status integer, answer text not null);
create table if not exists listeners (id text primary key, resource_name text not null, post_url text not null);
drop table if exists resource_subscriptions; -- of before, when nobody had to ask
create table if not exists ping_endpoint (url text not null);
create table if not exists choices (name text primary key, value text not null);
create table if not exists faults (
    id integer primary key autoincrement, kind text not null, times integer, seconds real not null);
"""
# What came later, so that a file of before goes on.
ADDED = {
    "subscriptions": {
        "quantity": "integer not null default 1", "next_quantity": "integer", "account_email": "text",
        "offer_code": "text not null default ''", "charges": "integer", "trial_ends": "real", "ended_at": "real",
        "has_card": "integer not null default 1", "gifter_email": "text not null default ''",
        "affiliate": "text not null default ''", "product_id": "text not null default ''",
    },
    "sales": {
        "quantity": "integer not null default 1", "part": "text not null default ''", "trial": "integer not null default 0",
        "dispute_lost": "integer not null default 0", "gift_price": "integer not null default 0",
    },
    "pings": {"channel": "text not null default 'api'"},
    "ping_endpoint": {"as_json": "integer not null default 0"},
}  # fmt: skip
FIRST_NUMBERS = {"subscriptions": 71_000_000, "sales": 524_000_000}
MOMENTS = {
    "subscriptions": (
        "created",
        "paid_until",
        "requested_at",
        "cancelled_at",
        "overdue_since",
        "failed_at",
        "deactivated_at",
        "trial_ends",
        "ended_at",
    ),
    "sales": ("created",),
    "pings": ("created", "due"),
    "attempts": ("at",),
}


class Store:
    """Lends a connection to each piece of work; several threads may work at a time."""

    def __init__(self, home: pathlib.Path) -> None:
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = home / "gumroad.sqlite"
        self._file.touch(mode=0o600)
        with self.reading() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(TABLES)
        with self.writing() as db:
            _add_columns(db)
            _begin_numbers(db)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time; all of it happens or nothing."""
        with self.reading() as db:
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.execute("rollback")
                raise
            db.execute("commit")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            db = self._connect()
        try:
            yield db
        finally:
            if db.in_transaction:
                db.close()  # whatever broke it, it is not lent again
            else:
                self._idle.put(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("pragma synchronous = normal")
        return db

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def _add_columns(db: sqlite3.Connection) -> None:
    for table, columns in ADDED.items():
        there = {row["name"] for row in db.execute(f"pragma table_info({table})")}
        for name, kind in columns.items():
            if name not in there:
                db.execute(f"alter table {table} add column {name} {kind}")


def chosen(db: sqlite3.Connection, name: str) -> str:
    """What was set under this name, or nothing."""
    row = db.execute("select value from choices where name = ?", [name]).fetchone()
    return str(row["value"]) if row else ""


def choose(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("insert or replace into choices values (?, ?)", [name, value])


def _begin_numbers(db: sqlite3.Connection) -> None:
    """Order numbers look like the vendor's."""
    for table, first in FIRST_NUMBERS.items():
        if not db.execute("select 1 from sqlite_sequence where name = ?", [table]).fetchone():
            db.execute("insert into sqlite_sequence (name, seq) values (?, ?)", [table, first])


def make_older(db: sqlite3.Connection, seconds: float) -> None:
    """Every moment that is written down lies so much further back."""
    for table, columns in MOMENTS.items():
        changes = ", ".join(f"{column} = {column} - :by" for column in columns)
        db.execute(f"update {table} set {changes}", {"by": seconds})


def now() -> float:
    """This moment, in seconds."""
    return time.time()


def iso(at: float | None) -> str | None:
    """A moment as the vendor writes it."""
    if at is None:
        return None
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> float:
    """The moment that was written; raises ValueError."""
    return datetime.datetime.fromisoformat(text).timestamp()
