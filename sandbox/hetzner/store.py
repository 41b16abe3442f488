"""What the stand-in remembers: one SQLite file, so that a restart changes nothing and parallel requests meet one truth."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import queue
import sqlite3
from collections.abc import Iterator

TABLES = """
create table if not exists servers (
    id integer primary key autoincrement, name text not null, labels text not null, type text not null,
    location text not null, image integer not null, ipv4 text not null, ipv6 text not null, dns_ptr text not null,
    firewalls text not null, user_data text, status text not null, doom text, created text not null, gone text);
create unique index if not exists one_name on servers (name) where gone is null;
drop index if exists one_address;
create unique index if not exists one_ip on servers (ipv4) where gone is null and ipv4 != '';
create table if not exists addresses (
    id integer primary key autoincrement, kind text not null, ip text not null, location text not null,
    server integer, auto_delete integer not null, name text not null, labels text not null, dns_ptr text not null,
    created text not null, gone text);
create index if not exists addresses_of on addresses (server) where gone is null;
create table if not exists firewalls (
    id integer primary key autoincrement, name text not null unique, labels text not null, rules text not null,
    selectors text not null, created text not null);
create table if not exists images (
    id integer primary key autoincrement, status text not null, description text not null, labels text not null,
    server integer not null, server_name text not null, architecture text not null, disk_size integer not null,
    image_size real, created text not null, found integer not null default 0, gone text);
create table if not exists actions (
    id integer primary key autoincrement, command text not null, status text not null, started text not null,
    finished text, error text, server integer, resources text not null);
create index if not exists of_server on actions (server);
create table if not exists faults (id integer primary key autoincrement, fault text not null);
create table if not exists calls (
    id integer primary key autoincrement, at text not null, method text not null, template text not null,
    operation text not null, status integer not null, lost integer not null);
create table if not exists settings (name text primary key, value integer not null);
"""
FIRST_IDS = {
    "servers": 42_000_000, "firewalls": 2_000_000, "images": 420_000_000, "actions": 1_500_000_000, "addresses": 85_000_000,
}  # fmt: skip
LATER_COLUMNS = {"disk": "integer", "becomes": "text"}
# A memory of before addresses had rows of their own: each server has two that go with it.
OLDER = """
insert into addresses (kind, ip, location, server, auto_delete, name, labels, dns_ptr, created)
select kind, case kind when 'ipv4' then ipv4 else ipv6 end, location, id, 1, 'primary_ip-' || id || '-' || kind, '{}', '{}',
       created
  from servers, (select 'ipv4' as kind union select 'ipv6')
 where gone is null and id not in (select server from addresses where server is not null) and ipv4 != ''"""


class Store:
    """Lends a connection to each piece of work; idle ones are kept, since opening one costs more than most queries."""

    def __init__(self, home: pathlib.Path) -> None:
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file, self._is_closed = home / "hetzner.sqlite", False
        self._file.touch(mode=0o600)
        with self.reading() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(TABLES)
            self._add_columns(db)
        with self.writing() as db:
            self._begin_ids(db)
            db.execute(OLDER)

    def _add_columns(self, db: sqlite3.Connection) -> None:
        """To a memory of before they were there; GB of the disk, where it is not its type's, and what it becomes."""
        known = {row["name"] for row in db.execute("pragma table_info(servers)")}
        for name in LATER_COLUMNS.keys() - known:
            db.execute(f"alter table servers add column {name} {LATER_COLUMNS[name]}")

    def _begin_ids(self, db: sqlite3.Connection) -> None:
        """Ids look like the vendor's, so that code which takes them for small numbers is found out."""
        for table, first in FIRST_IDS.items():
            if not db.execute("select 1 from sqlite_sequence where name = ?", [table]).fetchone():
                db.execute("insert into sqlite_sequence (name, seq) values (?, ?)", [table, first])

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
        yield db
        self._idle.put(db)  # one whose work failed is not lent again
        if self._is_closed:
            self.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("pragma synchronous = normal")
        return db

    def close(self) -> None:
        """Gives back what lies idle, and what is still lent as soon as it comes back."""
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def setting(self, name: str, default: int) -> int:
        with self.reading() as db:
            row = db.execute("select value from settings where name = ?", [name]).fetchone()
        return row["value"] if row else default

    def set(self, name: str, value: int) -> None:
        with self.writing() as db:
            db.execute("insert or replace into settings (name, value) values (?, ?)", [name, value])


def now() -> str:
    """This moment as the vendor writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
