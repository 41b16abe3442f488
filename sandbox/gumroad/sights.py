"""What the pages and the state show: rows made fit for people. The address that pings go to is a secret and not among it."""

from __future__ import annotations

import datetime
import json
import sqlite3
from typing import Any

from sandbox.gumroad.life import status
from sandbox.gumroad.payloads import is_recurring, is_refunded
from sandbox.gumroad.store import from_iso, iso

MOST_PINGS = 100
WORDS = {
    "alive": "active",
    "pending_cancellation": "cancelled, active until the end of the paid period",
    "pending_failure": "the card was declined and is tried again",
    "cancelled": "ended",
    "failed_payment": "ended, because the payment failed",
    "fixed_subscription_period_ended": "ended, because its fixed length is over",
}


def log_of_pings(db: sqlite3.Connection, most: int = MOST_PINGS) -> list[dict[str, Any]]:
    """The newest first, each with its attempts."""
    rows = db.execute("select * from pings order by id desc limit ?", [most]).fetchall()
    return [_ping(db, row) for row in rows]


def _ping(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    attempts = db.execute("select at, status, answer from attempts where ping = ? order by id", [row["id"]])
    return {
        "id": row["id"], "resource": row["resource"], "about": row["about"], "state": row["state"],
        "retries": row["retries"], "created": iso(row["created"]),
        "due": iso(row["due"]) if row["state"] == "waiting" else None,
        "fields": json.loads(row["fields"]) if row["fields"] else None,
        "attempts": [{**dict(one), "at": iso(one["at"])} for one in attempts],
    }  # fmt: skip


def subscriptions(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The newest first, each with its sales."""
    rows = db.execute("select * from subscriptions order by number desc limit 200").fetchall()
    return [subscription(db, row) for row in rows]


def subscription(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    sales = db.execute("select * from sales where subscription = ? order by number desc", [row["id"]])
    word = status(row)
    return {
        **dict(row), "status": word, "words": WORDS[word], "is_over": row["deactivated_at"] is not None,
        "until": iso(row["cancelled_at"] if row["cancelled_at"] is not None else row["paid_until"]),
        "ended": iso(row["deactivated_at"]), "sales": [_sale(sale) for sale in sales],
    }  # fmt: skip


def _sale(sale: sqlite3.Row) -> dict[str, Any]:
    flags = {
        "refunded": is_refunded(sale),
        "refunded in part": 0 < sale["refunded_cents"] < sale["price"],
        "disputed": sale["disputed"],
        "dispute won": sale["dispute_won"],
        "dispute lost": sale["dispute_lost"],
        "renewal or upgrade": is_recurring(sale),
        "free trial": sale["trial"],
        "paid by the giver": sale["part"] == "sender",
        "a gift": sale["part"] == "receiver",
    }
    return {
        **dict(sale), "at": iso(sale["created"]), "money": f"${sale['price'] / 100:.2f}",
        "left": sale["price"] - sale["refunded_cents"], "notes": [word for word, is_so in flags.items() if is_so],
    }  # fmt: skip


def day_and_time(text: str) -> str:
    """A moment of the vendor's for people, to the second because pings are that close."""
    at = datetime.datetime.fromtimestamp(from_iso(text), datetime.UTC)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M:%S} UTC"
