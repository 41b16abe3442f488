"""Changes of the plan: dearer at once, cheaper when the paid period is over."""

from __future__ import annotations

import sqlite3
from typing import Any

from sandbox.gumroad.errors import Refusal, Wrong
from sandbox.gumroad.life import Life, find, status
from sandbox.gumroad.money import last_sale
from sandbox.gumroad.pings import Queue
from sandbox.gumroad.product import MONTHS, Product
from sandbox.gumroad.store import iso, now

WANTED_NEXT = "update subscriptions set next_tier = ?, next_recurrence = ? where id = ?"
Db = sqlite3.Connection
Row = sqlite3.Row


class Plans:
    """Works within the transaction that is given."""

    def __init__(self, life: Life, product: Product, queue: Queue) -> None:
        self._life, self._product, self._queue = life, product, queue

    def change(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        """To a dearer plan at once and for the difference, to a cheaper one when the paid period is over."""
        tier, recurrence = (
            str(how.get("tier") or row["tier"]),
            str(how.get("recurrence") or row["recurrence"]),
        )
        if tier not in self._product.tiers or recurrence not in MONTHS:
            raise Wrong("There is no such tier or recurrence.")
        if status(row) != "alive":
            raise Refusal("Only an active subscription can be changed.")
        if (tier, recurrence) == (row["tier"], row["recurrence"]):
            return self._stay(db, row)
        old, new = (
            self._product.price(*plan) for plan in ((row["tier"], row["recurrence"]), (tier, recurrence))
        )
        db.execute(WANTED_NEXT, [tier, recurrence, row["id"]])
        return self._upgrade(db, row, old, new) if new > old else self._downgrade(db, row)

    def _stay(self, db: Db, row: Row) -> list[str]:
        """A change that is taken back before it takes effect tells nobody."""
        if not row["next_tier"]:
            raise Refusal("That is the plan already.")
        db.execute(WANTED_NEXT, [None, None, row["id"]])
        return [f"{row['email']} stays with {row['tier']}."]

    def _upgrade(self, db: Db, row: Row, old: int, new: int) -> list[str]:
        at = now()
        length = max(1.0, row["paid_until"] - (last_sale(db, row["id"])["created"]))
        unused = max(0.0, min(1.0, (row["paid_until"] - at) / length))
        wanted = find(db, row["id"])
        self._tell_change(db, row, wanted, "upgrade", at)
        self._life.charge(db, wanted, at=at, recurring=True, price=round(new - old * unused))
        return [f"{row['email']} changed from {row['tier']} to {wanted['next_tier']}."]

    def _downgrade(self, db: Db, row: Row) -> list[str]:
        wanted = find(db, row["id"])
        self._tell_change(db, row, wanted, "downgrade", row["paid_until"])
        return [f"{row['email']} will change from {row['tier']} to {wanted['next_tier']}."]

    def _tell_change(self, db: Db, row: Row, wanted: Row, kind: str, at: float) -> None:
        old = self._plan(row["tier"], row["recurrence"])
        new = self._plan(wanted["next_tier"], wanted["next_recurrence"])
        self._queue.put(
            db,
            "subscription_updated",
            row["id"],
            type=kind,
            effective_as_of=iso(at),
            old_plan=old,
            new_plan=new,
        )

    def _plan(self, tier: str, recurrence: str) -> dict[str, Any]:
        return {
            "tier": {"id": self._product.tier_id(tier), "name": tier},
            "recurrence": recurrence,
            "price_cents": self._product.price(tier, recurrence),
            "quantity": 1,
        }
