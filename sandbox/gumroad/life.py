"""The life of a subscription: bought, renewed, cancelled, ended, taken up again. Each change sends what the vendor sends.

Source: app/models/subscription.rb and the services around it in https://github.com/antiwork/gumroad.
"""

from __future__ import annotations

import json
import os
import sqlite3
from typing import Any

from sandbox.gumroad.errors import Missing, Refusal
from sandbox.gumroad.pings import Queue
from sandbox.gumroad.product import Product, after, opaque
from sandbox.gumroad.store import iso, now

Db = sqlite3.Connection
Row = sqlite3.Row
PATIENCE = 5 * 86400.0  # how long a card is tried before the subscription fails
ACTORS = ("buyer", "seller", "admin")


def status(row: Row) -> str:
    """The vendor's word for it, in the order in which it decides."""
    if row["deactivated_at"] is not None:
        return "failed_payment" if row["failed_at"] is not None else "cancelled"
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

    def begin(
        self, db: Db, *, email: str, name: str, tier: str, recurrence: str, custom: dict[str, str]
    ) -> str:
        """The id of a new subscription whose first charge is still to come."""
        its_id, at = opaque(os.urandom(16)), now()
        row = {
            "id": its_id, "email": email, "full_name": name, "tier": tier, "recurrence": recurrence, "created": at,
            "paid_until": at, "license_key": _license(), "custom_fields": json.dumps(custom),
            "test": email == self._product.seller_email,
        }  # fmt: skip
        columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        db.execute(f"insert into subscriptions ({columns}) values ({places})", row)
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
        tier, recurrence = row["next_tier"] or row["tier"], row["next_recurrence"] or row["recurrence"]
        sale_id, at = opaque(os.urandom(16)), _later_than_before(db, row["id"], at)
        price = self._product.price(tier, recurrence) if price is None else price
        db.execute(
            "insert into sales (id, subscription, created, price, tier, recurrence, recurring, url_params)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            [sale_id, row["id"], at, 0 if row["test"] else price, tier, recurrence, recurring,
             json.dumps(url_params or {})],
        )  # fmt: skip
        _set(
            db, row, tier=tier, recurrence=recurrence, next_tier=None, next_recurrence=None,
            paid_until=after(at, recurrence), overdue_since=None,
        )  # fmt: skip
        self._queue.put(db, "sale", sale_id)
        return sale_id

    def restart(self, db: Db, row: Row, *, charge: bool = True) -> list[str]:
        """Takes it up again, or withdraws a cancellation that has not taken effect."""
        if row["deactivated_at"] is None and row["cancelled_at"] is None:
            raise Refusal("This subscription is active already.")
        if row["cancelled_by"] == "seller":
            raise Refusal("The seller has cancelled this subscription, so it cannot be taken up again.")
        ended = row["deactivated_at"] is not None
        _set(
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
        """The next period is paid; a cancelled subscription has none."""
        if row["deactivated_at"] is not None or row["cancelled_at"] is not None:
            raise Refusal("This subscription was cancelled and is not charged again.")
        if row["test"]:
            raise Refusal("A test purchase is never charged again.")
        self.charge(db, row, at=now() if at is None else at, recurring=True)
        return [f"The subscription of {row['email']} was renewed."]

    def cancel(self, db: Db, row: Row, by: str = "buyer") -> list[str]:
        """Access goes on until the paid period ends; the ping goes out at once."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        if row["cancelled_at"] is not None:
            raise Refusal("This subscription was cancelled before and will end.")
        _set(db, row, requested_at=now(), cancelled_at=row["paid_until"], cancelled_by=by)
        self._tell_cancelled(db, row, by, row["paid_until"])
        return [f"The subscription of {row['email']} was cancelled and ends on {iso(row['paid_until'])}."]

    def _tell_cancelled(self, db: Db, row: Row, by: str, at: float) -> None:
        who = "cancelled_due_to_payment_failures" if by == "payment" else f"cancelled_by_{by}"
        self._queue.put(
            db, "cancellation", row["id"], **{"cancelled": True, "cancelled_at": iso(at), who: True}
        )

    def stop_now(self, db: Db, row: Row, by: str = "buyer") -> list[str]:
        """Ends without waiting for the end of the paid period, as a dispute does."""
        if row["deactivated_at"] is not None:
            return []
        announced = row["cancelled_at"] is not None
        _set(db, row, cancelled_at=now(), cancelled_by=row["cancelled_by"] or by)
        if not announced:
            self._tell_cancelled(db, row, by, now())
        return self._end(db, find(db, row["id"]), now(), "cancelled")

    def decline(self, db: Db, row: Row) -> list[str]:
        """The card is refused at the renewal; nobody is told for five days."""
        if row["deactivated_at"] is not None or row["cancelled_at"] is not None:
            raise Refusal("This subscription is not charged again, so no payment can fail.")
        _set(db, row, overdue_since=now())
        return [f"The card of {row['email']} was declined; it is tried for five days."]

    def fail(self, db: Db, row: Row, at: float | None = None) -> list[str]:
        """All tries of the card have failed: cancelled and ended in one."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        at = now() if at is None else at
        _set(db, row, failed_at=at)
        self._tell_cancelled(db, row, "payment", at)
        return self._end(db, row, at, "failed_payment")

    def _end(self, db: Db, row: Row, at: float, reason: str) -> list[str]:
        _set(db, row, deactivated_at=at)
        self._queue.put(db, "subscription_ended", row["id"], ended_at=iso(at), ended_reason=reason)
        return [f"The subscription of {row['email']} ended: {reason}."]

    def end_period(self, db: Db, row: Row) -> list[str]:
        """Brings the end of the paid period to this moment, with what follows from it."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        _set(db, row, paid_until=now(), cancelled_at=now() if row["cancelled_at"] is not None else None)
        return self.run_due(db)

    def run_due(self, db: Db) -> list[str]:
        """What the paid periods that are over lead to, as many times as it takes."""
        happened: list[str] = []
        while due := is_due(db):
            happened += self._fall_due(db, due)
        return happened

    def _fall_due(self, db: Db, row: Row) -> list[str]:
        if row["overdue_since"] is not None and row["overdue_since"] + PATIENCE <= now():
            return self.fail(db, row, row["overdue_since"] + PATIENCE)
        if row["cancelled_at"] is not None:
            return self._end(db, row, row["cancelled_at"], "cancelled")
        return self.renew(db, row, row["paid_until"])


DUE = """
select * from subscriptions where deactivated_at is null and test = 0 and (
    cancelled_at <= :now or overdue_since + :patience <= :now
    or (paid_until <= :now and cancelled_at is null and overdue_since is null))
 order by paid_until limit 1"""


def is_due(db: Db) -> Row | None:
    """The first subscription for which something is to happen now."""
    row: Row | None = db.execute(DUE, {"now": now(), "patience": PATIENCE}).fetchone()
    return row


def _later_than_before(db: Db, its_id: str, at: float) -> float:
    """The vendor's moments are whole seconds, and no two charges of a subscription fall into one."""
    last = db.execute("select max(created) from sales where subscription = ?", [its_id]).fetchone()[0]
    return at if last is None else max(at, last + 1)


def _set(db: Db, row: Row, **values: Any) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in values)
    db.execute(f"update subscriptions set {changes} where id = :its", {**values, "its": row["id"]})


def _license() -> str:
    return "-".join(os.urandom(4).hex().upper() for _ in range(4))
