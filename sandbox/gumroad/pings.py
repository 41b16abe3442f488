"""The pings that are to be sent: rows, so that a restart loses none."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from typing import Any

from sandbox.gumroad import faults
from sandbox.gumroad.product import opaque
from sandbox.gumroad.store import choose, chosen, now

OF_A_SALE = ("sale", "refund", "dispute", "dispute_won")
RESOURCES = (
    *OF_A_SALE,
    "cancellation",
    "subscription_updated",
    "subscription_ended",
    "subscription_restarted",
)
INSERT = """
insert into pings (resource, about, more, url, channel, created, due, state)
 values (:resource, :about, :more, :url, :channel, :at, :due, :state)"""
VENDORS_TIMING = (10.0, 5.0, 60.0)  # seconds: a sale, all else, and the task that notices what is over
QUICK_TIMING = (1.0, 0.5, 0.0)
SETTINGS_FORM, SETTINGS_JSON, API = "settings", "settings as json", "api"


class Queue:
    """Puts pings in line, for everybody who asked for that kind, and lets the faults have their way with them."""

    def __init__(self, sale_delay: float, event_delay: float) -> None:
        self._sale_delay, self._event_delay = sale_delay, event_delay

    def put(self, db: sqlite3.Connection, resource: str, about: str, **more: Any) -> None:
        """`about` is the id of the sale or of the subscription; `more` are fields of this event alone."""
        for url, channel in _listeners(db, resource):
            ping = {
                "resource": resource,
                "about": about,
                "more": json.dumps(more),
                "url": url,
                "channel": channel,
            }
            self._put(db, ping)

    def put_test(self, db: sqlite3.Connection, sale_id: str) -> None:
        """The last sale once more, marked as a test and without its kind, to where sales are told."""
        for url, channel in _listeners(db, "sale")[:1]:
            more = json.dumps({"test": True})
            self._put(db, {"resource": "", "about": sale_id, "more": more, "url": url, "channel": channel})

    def _put(self, db: sqlite3.Connection, ping: dict[str, Any]) -> None:
        delay = self._delay(db, "sale" if ping["resource"] == "sale" else "event")
        ping = {**ping, "at": now(), "due": now() + delay, "state": "waiting"}
        if faults.take(db, "drop"):
            ping["state"] = "dropped"
        if late := faults.take(db, "delay"):
            ping["due"] += late.seconds
        copies = 2 if faults.take(db, "duplicate") else 1
        held = faults.take(db, "reverse") or faults.take(db, "shuffle")
        if held:
            ping["state"] = "held"
        db.executemany(INSERT, [ping] * copies)
        if held and held.times == 1:
            release(db, shuffled=held.kind == "shuffle")

    def _delay(self, db: sqlite3.Connection, what: str) -> float:
        own = self._sale_delay if what == "sale" else self._event_delay
        return float(chosen(db, f"{what}_delay") or own)


def release(db: sqlite3.Connection, *, shuffled: bool = False) -> None:
    """What was held back goes out, the last one first or in whatever order."""
    held = db.execute("select id from pings where state = 'held' order by id desc").fetchall()
    if shuffled:
        random.shuffle(held)
    for place, row in enumerate(held):
        db.execute(
            "update pings set state = 'waiting', due = ? where id = ?", [now() + place / 1000, row["id"]]
        )


def clear_faults(db: sqlite3.Connection) -> None:
    db.execute("delete from faults")
    release(db)


def _listeners(db: sqlite3.Connection, resource: str) -> list[tuple[str, str]]:
    """Addresses and by which channel; the two know nothing of each other: who is in both is told of a sale twice."""
    rows = db.execute("select post_url from listeners where resource_name = ? order by rowid", [resource])
    endpoint = (
        db.execute("select url, as_json from ping_endpoint where url != ''") if resource == "sale" else ()
    )
    settings = [(row["url"], SETTINGS_JSON if row["as_json"] else SETTINGS_FORM) for row in endpoint]
    return [(row["post_url"], API) for row in rows] + settings


def listen(db: sqlite3.Connection, url: str) -> None:
    """The Ping address in the seller's settings, on from the first one; what still waits for the one before goes there, too."""
    before = chosen(db, "ping_url")
    choose(db, "ping_url", url)
    if not before:
        set_endpoint(db, True)
        return
    db.execute("update pings set url = ? where url = ? and state in ('waiting', 'held')", [url, before])
    db.execute("update ping_endpoint set url = ?", [url])


def has_endpoint(db: sqlite3.Connection) -> bool:
    """Whether the settings' Ping address is on, besides what was asked for by the API."""
    return db.execute("select 1 from ping_endpoint").fetchone() is not None


def set_endpoint(db: sqlite3.Connection, on: bool, as_json: bool = False) -> None:
    url = chosen(db, "ping_url")
    db.execute("delete from ping_endpoint")
    if on and url:
        db.execute("insert into ping_endpoint (url, as_json) values (?, ?)", [url, as_json])


def kinds_asked_for(db: sqlite3.Connection) -> int:
    """How many kinds of event somebody asked the API to tell of."""
    row = db.execute("select count(distinct resource_name) as kinds from listeners").fetchone()
    return int(row["kinds"])


def subscribe(db: sqlite3.Connection, resource: str, url: str) -> str:
    """The id of the new row; the same wish twice makes two, as at the vendor."""
    its_id = opaque(os.urandom(16))
    db.execute("insert into listeners values (?, ?, ?)", [its_id, resource, url])
    return its_id
