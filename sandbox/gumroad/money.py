"""Money that goes back: refunds and disputes, with what they do to a subscription."""

from __future__ import annotations

import sqlite3
from typing import Any

from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.life import Life, find, status
from sandbox.gumroad.pings import Queue

Db = sqlite3.Connection
Row = sqlite3.Row
OPEN = "and disputed = 1 and dispute_won = 0 and dispute_lost = 0"


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
        _mark(db, sale, "refunded_cents = refunded_cents + :cents", cents=cents)
        self._tell(db, "refund", sale)
        row = find(db, sale["subscription"])
        ended = self._life.stop_pending(db, row) if status(row) == "pending_cancellation" else []
        return [f"{cents} cents were given back to {row['email']}.", *ended]

    def _tell(self, db: Db, resource: str, sale: Row) -> None:
        """Of the giver's part of a gift nobody is told that it was refunded."""
        if sale["part"] != "sender":
            self._queue.put(db, resource, sale["id"])

    def dispute(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        sale = _sale_meant(db, row, how)
        if sale["part"] == "receiver":
            raise Refusal("Who was given it has paid nothing that could be disputed.")
        if sale["disputed"]:
            raise Refusal("This sale is disputed already.")
        _mark(db, sale, "disputed = 1")
        self._queue.put(db, "dispute", sale["id"])
        return [f"{row['email']} disputes a charge.", *self._life.stop_now(db, find(db, row["id"]))]

    def lose(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        """The money is gone for good, and no event says so."""
        sale = _sale_meant(db, row, how, OPEN)
        _mark(db, sale, "dispute_lost = 1")
        return [f"The dispute of {row['email']} was lost. Nobody is told."]

    def win(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        """Brings the subscription back, whoever had ended it before."""
        sale = _sale_meant(db, row, how, OPEN)
        _mark(db, sale, "dispute_won = 1")
        if sale["refunded_cents"] < sale["price"]:
            self._queue.put(db, "dispute_won", sale["id"])
        is_over = row["deactivated_at"] is not None or row["cancelled_at"] is not None
        back = self._life.take_up(db, row, charge=False) if is_over else []
        return [f"The dispute of {row['email']} was won.", *back]


def find_sale(db: Db, sale_id: str) -> Row:
    """Raises Missing."""
    row: Row | None = db.execute("select * from sales where id = ?", [sale_id]).fetchone()
    if row is None:
        raise Missing("There is no such sale.")
    return row


def last_sale(db: Db, subscription_id: str, such: str = "") -> Row:
    """The newest charge of a subscription; raises Missing if none is such. Of a gift it is what the giver paid."""
    query = f"select * from sales where subscription = ? and part != 'receiver' {such} order by number desc limit 1"
    row: Row | None = db.execute(query, [subscription_id]).fetchone()
    if row is None:
        raise Missing("There is no such sale.")
    return row


def _mark(db: Db, sale: Row, change: str, **values: Any) -> None:
    """What happens to the money of a giver is written on the receiver's sale, too."""
    both = " or (part = 'receiver' and subscription = :subscription)" if sale["part"] == "sender" else ""
    asked = {**values, "id": sale["id"], "subscription": sale["subscription"]}
    db.execute(f"update sales set {change} where id = :id{both}", asked)


def _sale_meant(db: Db, row: Row, how: dict[str, Any], such: str = "") -> Row:
    if not how.get("sale_id"):
        return last_sale(db, row["id"], such)
    sale = find_sale(db, str(how["sale_id"]))
    if such == OPEN and not (sale["disputed"] and not sale["dispute_won"] and not sale["dispute_lost"]):
        raise Refusal("No dispute of this sale is open.")
    if sale["subscription"] != row["id"]:
        raise Missing("That sale belongs to another subscription.")
    return sale


def _cents(amount: object) -> int:
    try:
        return int(str(amount))
    except ValueError:
        raise Wrong("The amount must be a whole number of cents.") from None
