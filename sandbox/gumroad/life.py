"""The life of a subscription: bought, renewed, cancelled, ended, taken up again. Each change sends what the vendor sends.

Source: app/models/subscription.rb and the services around it in https://github.com/antiwork/gumroad.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from typing import Any

from sandbox.gumroad.errors import Missing, Refusal
from sandbox.gumroad.pings import Queue
from sandbox.gumroad.product import Product, after, opaque
from sandbox.gumroad.store import iso, now

Db = sqlite3.Connection
Row = sqlite3.Row
ACTORS = ("buyer", "seller", "admin")
UNTIL_RECEIVED = 2.0  # seconds between what the giver pays and the receiver's sale


def status(row: Row) -> str:
    """The vendor's word for it, in the order in which it decides."""
    if row["deactivated_at"] is not None:
        if row["failed_at"] is not None:
            return "failed_payment"
        return "fixed_subscription_period_ended" if row["ended_at"] is not None else "cancelled"
    if row["overdue_since"] is not None:
        return "pending_failure"
    return (
        "pending_cancellation" if row["cancelled_at"] is not None and row["cancelled_at"] > now() else "alive"
    )


def find(db: Db, subscription_id: str) -> Row:
    """Raises Missing."""
    row: Row | None = db.execute("select * from subscriptions where id = ?", [subscription_id]).fetchone()
    if row is None:
        raise Missing("There is no such subscription.")
    return row


class Life:
    """Every method works within the transaction that is given, and answers sentences of what happened."""

    def __init__(self, product: Product, queue: Queue) -> None:
        self._product, self._queue = product, queue

    def begin(self, db: Db, wanted: Mapping[str, Any]) -> Row:
        """A new subscription whose first charge is still to come; `wanted` are columns of the buyer's choice."""
        its_id, at = opaque(os.urandom(16)), now()
        row = {
            **wanted, "id": its_id, "created": at, "paid_until": at, "license_key": _license(),
            "test": wanted["email"] == self._product.seller_email,
        }  # fmt: skip
        columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        db.execute(f"insert into subscriptions ({columns}) values ({places})", row)
        return find(db, its_id)

    def begin_trial(self, db: Db, row: Row, days: float, url_params: dict[str, str]) -> str:
        """A sale that costs nothing; the money is taken when the trial is over."""
        ends = row["created"] + days * 86400
        set_columns(db, row, trial_ends=ends)
        sale_id = self._sell(db, row, at=row["created"], price=0, trial=1, url_params=json.dumps(url_params))
        set_columns(db, row, paid_until=ends)
        self._queue.put(db, "sale", sale_id)
        return sale_id

    def begin_gift(self, db: Db, row: Row, url_params: dict[str, str]) -> str:
        """Two sales: the giver's with the price, of which nobody is told, and the receiver's of nothing, which is told."""
        price = self._price(row)
        self._sell(db, row, at=row["created"], price=price, part="sender", url_params=json.dumps(url_params))
        at = row["created"] + UNTIL_RECEIVED
        its_id = self._sell(db, row, at=at, price=0, part="receiver", gift_price=price, recurring=1)
        set_columns(db, row, paid_until=after(row["created"], row["recurrence"]), has_card=0)
        self._queue.put(db, "sale", its_id)
        return its_id

    def charge(
        self,
        db: Db,
        row: Row,
        *,
        at: float,
        recurring: bool,
        price: int | None = None,
        url_params: dict[str, str] | None = None,
    ) -> str:
        """Takes the money for a period that begins at that moment; the id of the sale."""
        at = _later_than_before(db, row["id"], at)
        tier, recurrence, quantity = next_plan(row)
        row = self._take_plan(db, row, tier, recurrence, quantity)
        price = self._price(row) if price is None else price
        told = json.dumps(url_params or {})
        sale_id = self._sell(db, row, at=at, price=price, recurring=int(recurring), url_params=told)
        set_columns(db, row, paid_until=after(at, recurrence), overdue_since=None)
        self._queue.put(db, "sale", sale_id)
        return sale_id

    def _take_plan(self, db: Db, row: Row, tier: str, recurrence: str, quantity: int) -> Row:
        set_columns(
            db, row, tier=tier, recurrence=recurrence, quantity=quantity, next_tier=None, next_recurrence=None,
            next_quantity=None,
        )  # fmt: skip
        return find(db, row["id"])

    def _price(self, row: Row) -> int:
        return self._product.price(row["tier"], row["recurrence"], row["quantity"], row["offer_code"])

    def _sell(self, db: Db, row: Row, *, at: float, price: int, **more: Any) -> str:
        """Writes a sale of what the subscription is now; a test costs nothing."""
        sale_id = opaque(os.urandom(16))
        sale = {
            "id": sale_id, "subscription": row["id"], "created": at, "price": 0 if row["test"] else price,
            "tier": row["tier"], "recurrence": row["recurrence"], "quantity": row["quantity"],
            "recurring": 0, "url_params": "{}", **more,
        }  # fmt: skip
        columns, places = ", ".join(sale), ", ".join(f":{name}" for name in sale)
        db.execute(f"insert into sales ({columns}) values ({places})", sale)
        return sale_id

    def restart(self, db: Db, row: Row, *, charge: bool = True) -> list[str]:
        """Takes it up again, or withdraws a cancellation that has not taken effect."""
        if row["deactivated_at"] is None and row["cancelled_at"] is None:
            raise Refusal("This subscription is active already.")
        if not is_restartable(row):
            raise Refusal("This subscription was ended for good, so it cannot be taken up again.")
        return self.take_up(db, row, charge=charge)

    def take_up(self, db: Db, row: Row, *, charge: bool) -> list[str]:
        """Whoever ended it: a dispute that is won asks nobody."""
        ended = row["deactivated_at"] is not None
        set_columns(
            db, row, requested_at=None, cancelled_at=None, cancelled_by=None, failed_at=None, deactivated_at=None,
            overdue_since=None,
        )  # fmt: skip
        self._queue.put(db, "subscription_restarted", row["id"], restarted_at=iso(now()))
        if not ended:
            return [f"The cancellation of {row['email']} was withdrawn."]
        if charge:
            self.charge(db, find(db, row["id"]), at=now(), recurring=True)
        return [f"The subscription of {row['email']} was restarted."]

    def renew(self, db: Db, row: Row, at: float | None = None) -> list[str]:
        """The next period is paid; a cancelled subscription has none, and what costs nothing makes no sale."""
        if row["deactivated_at"] is not None or row["cancelled_at"] is not None:
            raise Refusal("This subscription was cancelled and is not charged again.")
        if row["test"]:
            raise Refusal("A test purchase is never charged again.")
        at = now() if at is None else at
        if self._costs_nothing(row):
            set_columns(
                db, self._take_plan(db, row, *next_plan(row)), paid_until=after(at, next_plan(row)[1])
            )
            return [f"The subscription of {row['email']} goes on and costs nothing."]
        self.charge(db, row, at=at, recurring=True)
        return [f"The subscription of {row['email']} was renewed."]

    def _costs_nothing(self, row: Row) -> bool:
        return self._product.price(*next_plan(row), row["offer_code"]) == 0

    def add_card(self, db: Db, row: Row) -> list[str]:
        """Who was given it pays from now on, and so does whose card was declined."""
        set_columns(db, row, has_card=1)
        if row["overdue_since"] is not None and row["deactivated_at"] is None:
            return self.renew(db, find(db, row["id"]))
        return [f"{row['email']} has given a card."]

    def cancel(self, db: Db, row: Row, by: str = "buyer") -> list[str]:
        """Access goes on until the paid period ends; the ping goes out at once."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        if row["cancelled_at"] is not None:
            raise Refusal("This subscription was cancelled before and will end.")
        set_columns(db, row, requested_at=now(), cancelled_at=row["paid_until"], cancelled_by=by)
        self._tell_cancelled(db, row, by, row["paid_until"])
        return [f"The subscription of {row['email']} was cancelled and ends on {iso(row['paid_until'])}."]

    def _tell_cancelled(self, db: Db, row: Row, by: str, at: float) -> None:
        who = "cancelled_due_to_payment_failures" if by == "payment" else f"cancelled_by_{by}"
        self._queue.put(
            db, "cancellation", row["id"], **{"cancelled": True, "cancelled_at": iso(at), who: True}
        )

    def stop_now(self, db: Db, row: Row) -> list[str]:
        """As a dispute does: whatever was before, it is the buyer who ended it, and at this moment.

        So the end of what had ended already moves to now, and only its cancellation is told (`cancel_effective_immediately!`).
        """
        at, had_ended = now(), row["deactivated_at"] is not None
        set_columns(db, row, requested_at=at, cancelled_at=at, cancelled_by="buyer")
        self._tell_cancelled(db, row, "buyer", at)
        if had_ended:
            set_columns(db, row, deactivated_at=at)
            return [f"The end of {row['email']} is told as of now."]
        return self.end(db, find(db, row["id"]), at, "cancelled")

    def stop_pending(self, db: Db, row: Row) -> list[str]:
        """An end that was to come comes at once, and its cancellation is not told again."""
        set_columns(db, row, cancelled_at=now())
        return self.end(db, find(db, row["id"]), now(), "cancelled")

    def decline(self, db: Db, row: Row, at: float | None = None) -> list[str]:
        """The card is refused at the renewal; nobody is told for five days."""
        if row["deactivated_at"] is not None or row["cancelled_at"] is not None:
            raise Refusal("This subscription is not charged again, so no payment can fail.")
        set_columns(db, row, overdue_since=now() if at is None else at)
        return [f"The card of {row['email']} was declined; it is tried for five days."]

    def fail(self, db: Db, row: Row, at: float | None = None) -> list[str]:
        """All tries of the card have failed: cancelled and ended in one."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        at = now() if at is None else at
        set_columns(db, row, failed_at=at)
        self._tell_cancelled(db, row, "payment", at)
        return self.end(db, row, at, "failed_payment")

    def complete(self, db: Db, row: Row, at: float) -> list[str]:
        """All charges of a fixed length were made and their time is over; no cancellation is told."""
        set_columns(db, row, ended_at=at)
        return self.end(db, row, at, "fixed_subscription_period_ended")

    def end(self, db: Db, row: Row, at: float, reason: str) -> list[str]:
        set_columns(db, row, deactivated_at=at)
        self._queue.put(db, "subscription_ended", row["id"], ended_at=iso(at), ended_reason=reason)
        return [f"The subscription of {row['email']} ended: {reason}."]


def is_restartable(row: Row) -> bool:
    """Not what the seller ended, and not what has run its fixed length."""
    return row["cancelled_by"] != "seller" and row["ended_at"] is None


def next_plan(row: Row) -> tuple[str, str, int]:
    """Tier, recurrence and quantity of the next charge."""
    return (
        row["next_tier"] or row["tier"],
        row["next_recurrence"] or row["recurrence"],
        row["next_quantity"] or row["quantity"],
    )


def _later_than_before(db: Db, its_id: str, at: float) -> float:
    """The vendor's moments are whole seconds, and no two charges of a subscription fall into one."""
    last = db.execute("select max(created) from sales where subscription = ?", [its_id]).fetchone()[0]
    return at if last is None else max(at, last + 1)


def set_columns(db: Db, row: Row, **values: Any) -> None:
    """Changes a subscription."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    db.execute(f"update subscriptions set {changes} where id = :its", {**values, "its": row["id"]})


def _license() -> str:
    return "-".join(os.urandom(4).hex().upper() for _ in range(4))
