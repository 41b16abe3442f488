"""Changes of the plan: dearer at once, cheaper when the paid period is over."""

from __future__ import annotations

import sqlite3
from typing import Any

from sandbox.gumroad.errors import Refusal, Wrong
from sandbox.gumroad.life import Life, find, set_columns, status
from sandbox.gumroad.money import last_sale
from sandbox.gumroad.pings import Queue
from sandbox.gumroad.product import MONTHS, Product
from sandbox.gumroad.store import iso, now

MOST_SEATS = 1000
Plan = tuple[str, str, int]
Db = sqlite3.Connection
Row = sqlite3.Row


class Plans:
    """Works within the transaction that is given."""

    def __init__(self, life: Life, product: Product, queue: Queue) -> None:
        self._life, self._product, self._queue = life, product, queue

    def change(self, db: Db, row: Row, how: dict[str, Any]) -> list[str]:
        """To a dearer plan at once and for the difference, to a cheaper one when the paid period is over."""
        wanted = self._wanted(row, how)
        if status(row) != "alive":
            raise Refusal("Only an active subscription can be changed.")
        if row["charges"] is not None:
            raise Refusal("The plan of a membership with a fixed length cannot be changed.")
        now_is = (row["tier"], row["recurrence"], row["quantity"])
        if wanted == now_is:
            return self._stay(db, row)
        old, new = (
            self._product.price(tier, every, many, row["offer_code"])
            for tier, every, many in (now_is, wanted)
        )
        want_next(db, row, wanted)
        return self._upgrade(db, row, old, new) if new > old else self._downgrade(db, row)

    def _wanted(self, row: Row, how: dict[str, Any]) -> Plan:
        tier = str(how.get("tier") or row["tier"])
        recurrence = str(how.get("recurrence") or row["recurrence"])
        if tier not in self._product.tiers or recurrence not in MONTHS:
            raise Wrong("There is no such tier or recurrence.")
        return tier, recurrence, seats(how.get("quantity") or row["quantity"])

    def _stay(self, db: Db, row: Row) -> list[str]:
        """A change that is taken back before it takes effect tells nobody."""
        if not row["next_tier"]:
            raise Refusal("That is the plan already.")
        want_next(db, row, (None, None, None))
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
        old = self._plan(row["tier"], row["recurrence"], row["quantity"])
        new = self._plan(wanted["next_tier"], wanted["next_recurrence"], wanted["next_quantity"])
        self._queue.put(
            db,
            "subscription_updated",
            row["id"],
            type=kind,
            effective_as_of=iso(at),
            old_plan=old,
            new_plan=new,
        )

    def _plan(self, tier: str, recurrence: str, quantity: int) -> dict[str, Any]:
        return {
            "tier": {"id": self._product.tier_id(tier), "name": tier},
            "recurrence": recurrence,
            "price_cents": self._product.price(tier, recurrence, quantity),
            "quantity": quantity,
        }


def want_next(db: Db, row: Row, plan: Plan | tuple[None, None, None]) -> None:
    """What the next charge is to be for."""
    set_columns(db, row, next_tier=plan[0], next_recurrence=plan[1], next_quantity=plan[2])


def seats(given: object) -> int:
    """A quantity. Raises Wrong."""
    try:
        count = int(str(given))
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_SEATS:
        raise Wrong(f"The quantity must be a whole number from 1 to {MOST_SEATS}.")
    return count
