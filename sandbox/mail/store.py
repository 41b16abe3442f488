"""The mailbox: one SQLite file. A message that was filed before, by its Message-ID, is counted and not filed again."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Any

TABLE = """
create table if not exists messages (
    id integer primary key autoincrement, recipient text not null, sender text not null, message_id text not null,
    subject text not null, raw blob not null, received text not null, deliveries integer not null default 1);
create unique index if not exists one_message on messages (recipient, message_id);
"""
FILE = """
insert into messages (recipient, sender, message_id, subject, raw, received) values (?, ?, ?, ?, ?, ?)
on conflict (recipient, message_id) do update set deliveries = deliveries + 1"""


class Store:
    """Every call opens the file anew, which is quick while one connection stays: the last to close writes the log back.

    Source: https://www.sqlite.org/wal.html.
    """

    def __init__(self, home: pathlib.Path) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = home / "mail.sqlite"
        with self._open() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(TABLE)
        self._stays = sqlite3.connect(self._file, timeout=10, check_same_thread=False)
        self._stays.execute("select count(*) from messages").fetchone()

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._file, timeout=10)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()

    def file(self, *, recipient: str, sender: str, message_id: str, subject: str, raw: bytes) -> None:
        received = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._open() as db:
            db.execute(FILE, [recipient.lower(), sender, message_id, subject, raw, received])

    def all(self, recipient: str = "", most: int = 200) -> list[dict[str, Any]]:
        """The newest first, of one recipient or of all."""
        with self._open() as db:
            rows = db.execute(
                "select * from messages where ? in ('', recipient) order by id desc limit ?",
                [recipient.lower(), most],
            ).fetchall()
        return [dict(row) for row in rows]

    def one(self, number: int) -> dict[str, Any] | None:
        with self._open() as db:
            row = db.execute("select * from messages where id = ?", [number]).fetchone()
        return dict(row) if row else None

    def newest(self) -> int:
        """The highest number so far, which a page compares to know whether anything came."""
        with self._open() as db:
            return int(
                db.execute(
                    "select coalesce(max(id), 0) + coalesce(sum(deliveries), 0) from messages"
                ).fetchone()[0]
            )

    def clear(self) -> None:
        with self._open() as db:
            db.execute("delete from messages")
