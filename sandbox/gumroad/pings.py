"""The pings that are to be sent: rows, so that a restart loses none."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import Any

from sandbox.gumroad import faults
from sandbox.gumroad.product import opaque
from sandbox.gumroad.store import now

OF_A_SALE = ("sale", "refund", "dispute", "dispute_won")
RESOURCES = (
    *OF_A_SALE,
    "cancellation",
    "subscription_updated",
    "subscription_ended",
    "subscription_restarted",
)
INSERT = """
insert into pings (resource, about, more, url, created, due, state) values (:resource, :about, :more, :url, :at, :due, :state)"""


class Queue:
    """Puts pings in line, for everybody who asked for that kind, and lets the faults have their way with them."""

    def __init__(self, sale_delay: float, event_delay: float) -> None:
        self._sale_delay, self._event_delay = sale_delay, event_delay

    def put(self, db: sqlite3.Connection, resource: str, about: str, **more: Any) -> None:
        """`about` is the id of the sale or of the subscription; `more` are fields of this event alone."""
        for url in _listeners(db, resource):
            self._put(db, {"resource": resource, "about": about, "more": json.dumps(more), "url": url})

    def put_test(self, db: sqlite3.Connection, sale_id: str) -> None:
        """The last sale once more, marked as a test and without its kind, to where sales are told."""
        for url in _listeners(db, "sale")[:1]:
            more = json.dumps({"test": True})
            self._put(db, {"resource": "", "about": sale_id, "more": more, "url": url})

    def _put(self, db: sqlite3.Connection, ping: dict[str, Any]) -> None:
        delay = self._sale_delay if ping["resource"] == "sale" else self._event_delay
        ping = {**ping, "at": now(), "due": now() + delay, "state": "waiting"}
        if faults.take(db, "drop"):
            ping["state"] = "dropped"
        if late := faults.take(db, "delay"):
            ping["due"] += late.seconds
        copies = 2 if faults.take(db, "duplicate") else 1
        held = faults.take(db, "reverse")
        if held:
            ping["state"] = "held"
        db.executemany(INSERT, [ping] * copies)
        if held and held.times == 1:
            release(db)


def release(db: sqlite3.Connection) -> None:
    """What was held back goes out, the last one first."""
    held = db.execute("select id from pings where state = 'held' order by id desc").fetchall()
    for place, row in enumerate(held):
        db.execute(
            "update pings set state = 'waiting', due = ? where id = ?", [now() + place / 1000, row["id"]]
        )


def clear_faults(db: sqlite3.Connection) -> None:
    db.execute("delete from faults")
    release(db)


def _listeners(db: sqlite3.Connection, resource: str) -> list[str]:
    """The two channels know nothing of each other: who is in both is told of a sale twice."""
    rows = db.execute(
        "select post_url from resource_subscriptions where resource_name = ? order by rowid", [resource]
    )
    endpoint = db.execute("select url from ping_endpoint where url != ''") if resource == "sale" else ()
    return [row[0] for row in (*rows, *endpoint)]


def listen(db: sqlite3.Connection, url: str) -> None:
    """What the seller has set up once: all kinds go to this address, and what still waits for the one before, too."""
    for before in _own(db):
        db.execute("update pings set url = ? where url = ? and state in ('waiting', 'held')", [url, before])
    db.execute("delete from resource_subscriptions where own")
    db.execute("update ping_endpoint set url = ?", [url])
    for resource in RESOURCES if url else ():
        subscribe(db, resource, url, own=True)


def _own(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("select distinct post_url from resource_subscriptions where own").fetchall()
    return [row["post_url"] for row in rows]


def has_endpoint(db: sqlite3.Connection) -> bool:
    """Whether the seller's settings name an address for pings of sales, besides what was asked for by the API."""
    return db.execute("select 1 from ping_endpoint").fetchone() is not None


def set_endpoint(db: sqlite3.Connection, on: bool) -> None:
    """The address of the settings is the one that the seller's application listens at, so that doubles are seen."""
    db.execute("delete from ping_endpoint")
    for url in _own(db) if on else ():
        db.execute("insert into ping_endpoint values (?)", [url])


def subscribe(db: sqlite3.Connection, resource: str, url: str, *, own: bool = False) -> str:
    """The id of the new row; the same wish twice makes two, as at the vendor."""
    its_id = opaque(os.urandom(16))
    db.execute("insert into resource_subscriptions values (?, ?, ?, ?)", [its_id, resource, url, own])
    return its_id
