"""What the sending service has taken and must deliver: kept until each recipient has it or never will."""

from __future__ import annotations

import dataclasses
import email.utils
import json
import sqlite3
import time
import uuid
from typing import Any

from sandbox.aws.sending import Way
from sandbox.internet.delivery import Outcome
from sandbox.internet.headers import Message
from sandbox.internet.signing import DkimKey
from sandbox.internet.store import Store, now

PAUSES = (
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
)  # seconds until the next try; shorter than the vendor's, as a day is here
OWN = ("X-SES-CONFIGURATION-SET", "X-SES-MESSAGE-TAGS")  # fields that are meant for the service alone


@dataclasses.dataclass(frozen=True)
class Job:
    """A letter and those who wait for it."""

    id: str
    region: str
    sender: str
    raw: bytes
    recipients: list[str]
    returns_at: str = ""

    @property
    def returns_to(self) -> str:
        """The envelope sender that others see: it leads to the service, which so learns of bounces."""
        return f"{self.id}@{self.returns_at or f'{self.region}.amazonses.com'}"


class Queue:
    """Rows of letters and of their recipients."""

    def __init__(self, store: Store, key: DkimKey) -> None:
        self._store, self._key = store, key

    def take(self, way: Way, access_key: str, sender: str, recipients: list[str], message: Message) -> str:
        """The letter's id; it has the service's own Date, Message-ID and signatures from here on."""
        letter = f"01{uuid.uuid4().hex}-000000"
        raw, region = self._marked(letter, way, message), way.region
        subject = (message.named("Subject") or [""])[0]
        with self._store.open() as db:
            row = [letter, now(), region, access_key, sender, subject, raw]
            db.execute(
                "insert into ses_letters (id, at, region, access_key, sender, subject, raw) values (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            db.executemany(
                "insert or ignore into ses_deliveries (letter, recipient) values (?, ?)",
                [(letter, recipient) for recipient in recipients],
            )
            way.keep(db, letter)
        return letter

    def _marked(self, letter: str, way: Way, message: Message) -> bytes:
        """Signed by the service, and by the domain itself where its records say that the service may."""
        marked = message.replaced("Date", email.utils.formatdate()).replaced(
            "Message-ID", f"<{letter}@{way.region}.amazonses.com>"
        )
        raw = self._key.sign(_without(marked, "Return-Path", "Bcc", *OWN).raw(), "amazonses.com")
        return self._key.sign(raw, way.identity, way.token) if way.token else raw

    def due(self) -> list[Job]:
        """Letters with recipients whose time has come, the oldest first."""
        with self._store.open() as db:
            waiting = db.execute(
                "select letter, json_group_array(recipient) as recipients from ses_deliveries"
                " where state = 'waiting' and due <= ? group by letter limit 20",
                [time.time()],
            ).fetchall()
            return [self._job(db, row) for row in waiting]

    def _job(self, db: sqlite3.Connection, row: sqlite3.Row) -> Job:
        letter = db.execute("select * from ses_letters where id = ?", [row["letter"]]).fetchone()
        way = db.execute("select returns_at from aws_letters where letter = ?", [row["letter"]]).fetchone()
        recipients, returns_at = json.loads(row["recipients"]), way["returns_at"] if way else ""
        return Job(letter["id"], letter["region"], letter["sender"], letter["raw"], recipients, returns_at)

    def note(self, letter: str, outcomes: list[Outcome]) -> list[Outcome]:
        """Writes down what became of them; returns those that never will get it."""
        lost = []
        with self._store.open() as db:
            for one in outcomes:
                tries = db.execute(
                    "select tries from ses_deliveries where letter = ? and recipient = ?",
                    [letter, one.recipient],
                ).fetchone()["tries"]
                again = one.later and tries < len(PAUSES)
                state = "delivered" if one.ok else "waiting" if again else "bounced"
                due = time.time() + PAUSES[tries] if again else 0
                said = f"{one.code} {one.said}"
                db.execute(
                    "update ses_deliveries set state = ?, said = ?, tries = tries + 1, due = ?"
                    " where letter = ? and recipient = ?",
                    [state, said, due, letter, one.recipient],
                )
                lost += [one] if state == "bounced" else []
        return lost

    def sender_of(self, letter: str) -> str:
        """Who sent it, or nothing if it is not known here."""
        with self._store.open() as db:
            row = db.execute("select sender from ses_letters where id = ?", [letter]).fetchone()
        return row["sender"] if row else ""

    def log(self, most: int = 200) -> list[dict[str, Any]]:
        """The newest letters, each with its recipients and what became of them."""
        with self._store.open() as db:
            letters = db.execute(
                "select id, at, region, access_key, sender, subject from ses_letters order by rowid desc limit ?",
                [most],
            ).fetchall()
            return [{**dict(row), "recipients": self._recipients(db, row["id"])} for row in letters]

    def _recipients(self, db: sqlite3.Connection, letter: str) -> list[dict[str, Any]]:
        rows = db.execute(
            "select recipient, state, said, tries from ses_deliveries where letter = ? order by recipient",
            [letter],
        )
        return [dict(row) for row in rows]


def _without(message: Message, *names: str) -> Message:
    gone = {name.lower() for name in names}
    kept = [field for field, name in zip(message.fields, message.names(), strict=True) if name not in gone]
    return Message(kept, message.body)
