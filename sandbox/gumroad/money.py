"""Money that goes back: refunds and disputes, with what they do to a subscription."""

from __future__ import annotations

import sqlite3
from typing import Any

from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.life import Life, find, status
from sandbox.gumroad.pings import Queue

Db = sqlite3.Connection
Row = sqlite3.Row


class Money:
    """Works within the transaction that is given."""

    def __init__(self, life: Life, queue: Queue) -> None:
        self._life, self._queue = life, queue

    def refund_one(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        return self.refund(db, _sale_meant(db, row, how), how.get("amount_cents"))

    def refund(self, db: Db, sale: Row, amount: object) -> list[str]:
        left = sale["price"] - sale["refunded_cents"]
        cents = left if amount in (None, "") else _cents(amount)
        if left <= 0:
            raise Refusal("Purchase is already refunded.")
        if not 0 < cents <= left:
            raise Refusal(f"Only {left} cents are left to be refunded.")
        db.execute("update sales set refunded_cents = refunded_cents + ? where id = ?", [cents, sale["id"]])
        self._queue.put(db, "refund", sale["id"])
        row = find(db, sale["subscription"])
        ended = self._life.stop_now(db, row) if status(row) == "pending_cancellation" else []
        return [f"{cents} cents were given back to {row['email']}.", *ended]

    def dispute(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        sale = _sale_meant(db, row, how)
        if sale["disputed"]:
            raise Refusal("This sale is disputed already.")
        db.execute("update sales set disputed = 1 where id = ?", [sale["id"]])
        self._queue.put(db, "dispute", sale["id"])
        return [f"{row['email']} disputes a charge.", *self._life.stop_now(db, row)]

    def win(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        sale = _sale_meant(db, row, how, "and disputed = 1 and dispute_won = 0")
        db.execute("update sales set dispute_won = 1 where id = ?", [sale["id"]])
        if sale["refunded_cents"] < sale["price"]:
            self._queue.put(db, "dispute_won", sale["id"])
        may_return = row["deactivated_at"] is not None and row["cancelled_by"] != "seller"
        back = self._life.restart(db, row, charge=False) if may_return else []
        return [f"The dispute of {row['email']} was won.", *back]


def find_sale(db: Db, sale_id: str) -> Row:
    """Raises Missing."""
    row: Row | None = db.execute("select * from sales where id = ?", [sale_id]).fetchone()
    if row is None:
        raise Missing("There is no such sale.")
    return row


def last_sale(db: Db, subscription_id: str, such: str = "") -> Row:
    """The newest charge of a subscription; raises Missing if none is such."""
    query = f"select * from sales where subscription = ? {such} order by number desc limit 1"
    row: Row | None = db.execute(query, [subscription_id]).fetchone()
    if row is None:
        raise Missing("There is no such sale.")
    return row


def _sale_meant(db: Db, row: Row, how: dict[str, Any], such: str = "") -> Row:
    if not how.get("sale_id"):
        return last_sale(db, row["id"], such)
    sale = find_sale(db, str(how["sale_id"]))
    if sale["subscription"] != row["id"]:
        raise Missing("That sale belongs to another subscription.")
    return sale


def _cents(amount: object) -> int:
    try:
        return int(str(amount))
    except ValueError:
        raise Wrong("The amount must be a whole number of cents.") from None
