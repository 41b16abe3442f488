"""What the internet remembers: one SQLite file, read and written by its pages and by its servers alike."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import queue
import sqlite3
from collections.abc import Iterator

TABLES = """
create table if not exists names (
    name text not null, type text not null, value text not null, ttl integer not null,
    primary key (name, type, value)) without rowid;
create table if not exists sent (
    id integer primary key autoincrement, at text not null, sender text not null, recipient text not null,
    subject text not null, server text not null, said text not null, ok integer not null);
create table if not exists ses_users (
    access_key text primary key, secret text not null, region text not null, domains text not null);
create table if not exists ses_letters (
    id text primary key, at text not null, region text not null, access_key text not null, sender text not null,
    subject text not null, raw blob not null);
create table if not exists ses_deliveries (
    letter text not null, recipient text not null, state text not null default 'waiting', said text not null default '',
    tries integer not null default 0, due real not null default 0, primary key (letter, recipient)) without rowid;
create index if not exists ses_due on ses_deliveries (state, due);
create table if not exists faults (kind text primary key, times integer not null);
"""


class Store:
    """Lends a connection to each piece of work; idle ones are kept, since opening one costs more than most queries.

    The last that closes writes the whole log back, too: https://www.sqlite.org/wal.html.
    """

    def __init__(self, home: pathlib.Path) -> None:
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = home / "internet.sqlite"
        self._file.touch(mode=0o600)
        with self.open() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(TABLES)

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one piece of work; all of it happens or nothing."""
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            db = self._connect()
        with db:
            yield db
        self._idle.put(db)  # one whose work failed is not lent again

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=30, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("pragma synchronous = normal")
        return db


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
