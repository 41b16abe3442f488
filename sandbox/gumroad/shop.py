"""What people do at the store: buyers at the checkout and on their own page, the seller in the dashboard."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from collections.abc import Callable
from typing import Any

from sandbox.gumroad.changes import WANTED_NEXT, Plans
from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.life import ACTORS, Life, find, is_due
from sandbox.gumroad.money import Money, find_sale, last_sale
from sandbox.gumroad.pings import Queue, set_endpoint
from sandbox.gumroad.product import MONTHS, Product
from sandbox.gumroad.store import Store, make_older

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LAST_OF = "select * from subscriptions where email = ? and test = 0 order by number desc limit 1"
Db = sqlite3.Connection
Row = sqlite3.Row


@dataclasses.dataclass(frozen=True)
class Order:
    """What the checkout asks for."""

    email: str
    tier: str
    recurrence: str = "monthly"
    full_name: str = ""
    url_params: dict[str, str] = dataclasses.field(default_factory=dict)
    custom_fields: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Bought:
    """Ids of what came of an order."""

    sale_id: str
    subscription_id: str


class Shop:
    """Each act is one transaction. Raises Wrong, Refusal or Missing with a sentence."""

    def __init__(self, store: Store, product: Product, queue: Queue) -> None:
        self.store, self.product, self.queue = store, product, queue
        self._life = Life(product, queue)
        self._money, self._plans = Money(self._life, queue), Plans(self._life, product, queue)

    def buy(self, order: Order) -> Bought:
        """A new subscription; or the one that this buyer had, taken up again."""
        order = self._checked(order)
        with self.store.writing() as db:
            before = db.execute(LAST_OF, [order.email]).fetchone()
            if before and before["deactivated_at"] is None:
                raise Refusal("You already have an active subscription with this address.")
            if before and before["cancelled_by"] != "seller":
                return self._buy_again(db, before, order)
            return self._buy_anew(db, order)

    def _checked(self, order: Order) -> Order:
        email = order.email.strip().lower()
        if len(email) > 254 or not EMAIL.fullmatch(email):
            raise Wrong("An e-mail address is needed, such as anna@example.org.")
        if order.tier not in self.product.tiers:
            raise Wrong(f"The tier must be one of {', '.join(self.product.tiers)}.")
        if order.recurrence not in MONTHS:
            raise Wrong(f"The recurrence must be one of {', '.join(MONTHS)}.")
        return dataclasses.replace(order, email=email, full_name=order.full_name.strip()[:100])

    def _buy_anew(self, db: Db, order: Order) -> Bought:
        its_id = self._life.begin(
            db, email=order.email, name=order.full_name, tier=order.tier, recurrence=order.recurrence,
            custom=order.custom_fields,
        )  # fmt: skip
        row = find(db, its_id)
        sale_id = self._life.charge(db, row, at=row["created"], recurring=False, url_params=order.url_params)
        return Bought(sale_id, its_id)

    def _buy_again(self, db: Db, row: Row, order: Order) -> Bought:
        db.execute(WANTED_NEXT, [order.tier, order.recurrence, row["id"]])
        self._life.restart(db, row)
        return Bought(last_sale(db, row["id"])["id"], row["id"])

    def act(self, subscription_id: str, what: str, **how: Any) -> list[str]:
        """One of ACTS, done to a subscription; sentences of what happened."""
        if what not in self._acts:
            raise Missing(f"There is no such act; there are {', '.join(self._acts)}.")
        with self.store.writing() as db:
            return self._acts[what](db, find(db, subscription_id), how)

    @property
    def _acts(self) -> dict[str, Callable[[Db, Row, dict[str, Any]], list[str]]]:
        return {
            "cancel": lambda db, row, how: self._cancel(db, row, str(how.get("by") or "buyer")),
            "end": lambda db, row, how: self._life.end_period(db, row),
            "restart": lambda db, row, how: self._life.restart(db, row),
            "renew": lambda db, row, how: self._life.renew(db, row),
            "decline": lambda db, row, how: self._life.decline(db, row),
            "fail": lambda db, row, how: self._life.fail(db, row),
            "refund": self._money.refund_one,
            "dispute": self._money.dispute,
            "dispute_won": self._money.win,
            "change": self._plans.change,
            "upgrade": self._plans.change,
            "downgrade": self._plans.change,
        }

    def _cancel(self, db: Db, row: Row, by: str) -> list[str]:
        if by not in ACTORS:
            raise Wrong(f"Only {', '.join(ACTORS)} can cancel.")
        return self._life.cancel(db, row, by) + self._life.run_due(db)

    def refund(self, sale_id: str, amount_cents: object = None) -> list[str]:
        """All that is left, or so many cents."""
        with self.store.writing() as db:
            return self._money.refund(db, find_sale(db, sale_id), amount_cents)

    def resend(self, sale_id: str) -> list[str]:
        """The seller sends a sale's ping again by hand."""
        with self.store.writing() as db:
            self.queue.put(db, "sale", find_sale(db, sale_id)["id"])
        return ["The sale's ping is sent again."]

    def send_test(self) -> list[str]:
        with self.store.writing() as db:
            row = db.execute("select id from sales order by number desc limit 1").fetchone()
            if row is None:
                raise Refusal("A test ping repeats the last sale, and there is none yet.")
            self.queue.put_test(db, row["id"])
        return ["A test ping is sent."]

    def set_endpoint(self, on: bool) -> list[str]:
        """The second channel, in the seller's settings: with both on, every sale is told twice."""
        with self.store.writing() as db:
            set_endpoint(db, on)
        return [f"The Ping endpoint of the settings is {'on: sales are told twice' if on else 'off'}."]

    def run_due(self) -> list[str]:
        """What has fallen due by itself; asked often, so it looks before it takes the right to write."""
        with self.store.reading() as db:
            if not is_due(db):
                return []
        with self.store.writing() as db:
            return self._life.run_due(db)

    def age(self, seconds: float) -> list[str]:
        """Everything written down is so much older; what falls due happens, in the same transaction."""
        with self.store.writing() as db:
            make_older(db, seconds)
            return self._life.run_due(db)
