"""What people do at the store: buyers at the checkout and on their own page, the seller in the dashboard."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from sandbox.gumroad.changes import Plans, want_next
from sandbox.gumroad.dues import Dues, is_due
from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.life import ACTORS, Life, find, is_restartable, set_columns
from sandbox.gumroad.money import Money, find_sale, last_sale
from sandbox.gumroad.orders import Order, address, checked
from sandbox.gumroad.pings import Queue, set_endpoint
from sandbox.gumroad.product import Product
from sandbox.gumroad.store import Store, choose, chosen, make_older

LAST_OF = """
select * from subscriptions where email = ? and product_id = ? and test = 0 order by number desc limit 1"""
RECEIVED = "select * from sales where subscription = ? and part = 'receiver'"
TIERS_STAND_IN = (("subscriptions", "tier"), ("subscriptions", "next_tier"), ("sales", "tier"))
Db = sqlite3.Connection
Row = sqlite3.Row


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
        self._dues = Dues(self._life)
        self._read_names()
        self._money, self._plans = Money(self._life, queue), Plans(self._life, product, queue)

    def buy(self, order: Order) -> Bought:
        """A new subscription; or the one that this buyer had, taken up again, unless a signed-in buyer wants another."""
        order = checked(order, self.product)
        if order.force_new and not order.account_email:
            raise Refusal("Only who is signed in at Gumroad can have a second subscription.")
        with self.store.writing() as db:
            before = db.execute(LAST_OF, [order.receiver, order.product_id]).fetchone()
            if order.force_new or before is None:
                return self._buy_anew(db, order)
            if before["deactivated_at"] is None:
                raise Refusal("You already have an active subscription with this address.")
            if is_restartable(before) and not order.is_gift:
                return self._buy_again(db, before, order)
            return self._buy_anew(db, order)

    def _buy_anew(self, db: Db, order: Order) -> Bought:
        row = self._life.begin(db, order.columns())
        if order.is_gift:
            sale_id = self._life.begin_gift(db, row, order.url_params)
        elif order.free_trial_days:
            sale_id = self._life.begin_trial(db, row, order.free_trial_days, order.url_params)
        else:
            sale_id = self._life.charge(
                db, row, at=row["created"], recurring=False, url_params=order.url_params
            )
        return Bought(sale_id, row["id"])

    def _buy_again(self, db: Db, row: Row, order: Order) -> Bought:
        want_next(db, row, (order.tier, order.recurrence, order.quantity))
        self._life.restart(db, find(db, row["id"]))
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
            "end": lambda db, row, how: self._dues.end_period(db, row),
            "restart": lambda db, row, how: self._life.restart(db, row),
            "renew": lambda db, row, how: self._life.renew(db, row),
            "decline": lambda db, row, how: self._life.decline(db, row),
            "fail": lambda db, row, how: self._life.fail(db, row),
            "add_card": lambda db, row, how: self._life.add_card(db, row),
            "move": lambda db, row, how: self._move(db, row, str(how.get("email") or "")),
            "refund": self._money.refund_one,
            "dispute": self._money.dispute,
            "dispute_won": self._money.win,
            "dispute_lost": self._money.lose,
            "change": self._plans.change,
            "upgrade": self._plans.change,
            "downgrade": self._plans.change,
        }

    def _cancel(self, db: Db, row: Row, by: str) -> list[str]:
        if by not in ACTORS:
            raise Wrong(f"Only {', '.join(ACTORS)} can cancel.")
        return self._life.cancel(db, row, by) + self._dues.run(db)

    def _move(self, db: Db, row: Row, email: str) -> list[str]:
        """The buyer's account at the vendor gets another address; the one typed at the checkout stays in the sales."""
        set_columns(db, row, account_email=address(email))
        return [f"The account of {row['email']} has the address {address(email)} now."]

    def rename_tier(self, tier: str, name: str) -> list[str]:
        """The seller types another name for a tier; every sale tells the new one."""
        name = name.strip()[:80]
        if tier not in self.product.tiers or not name or name in self.product.tiers:
            raise Wrong("A tier that is there must get a name that is not.")
        with self.store.writing() as db:
            self.product.rename(tier, name)
            choose(db, "tiers", json.dumps(list(self.product.tiers)))
            for table, column in TIERS_STAND_IN:
                db.execute(f"update {table} set {column} = ? where {column} = ?", [name, tier])
        return [f"The tier {tier} is named {name} now."]

    def _read_names(self) -> None:
        with self.store.reading() as db:
            names = json.loads(chosen(db, "tiers") or "[]")
        for before, name in zip(list(self.product.tiers), names, strict=False):
            self.product.rename(before, name)

    def set_timing(self, sale: float, event: float, cron: float) -> list[str]:
        """Seconds until a sale and any other event are told, and until what is over is noticed."""
        with self.store.writing() as db:
            choose(db, "sale_delay", str(sale))
            choose(db, "event_delay", str(event))
            choose(db, "cron", str(cron))
        return [
            f"Sales are told after {sale:g} s, all else after {event:g} s; ends are noticed after {cron:g} s."
        ]

    def set_revoked(self, on: bool) -> list[str]:
        """The token of the seller's application: without it the API answers nobody, and what it was asked to tell is not told."""
        with self.store.writing() as db:
            choose(db, "revoked", "yes" if on else "")
        return [
            f"The token is {'revoked: the API is closed and its pings end in silence' if on else 'good'}."
        ]

    def refund(self, sale_id: str, amount_cents: object = None) -> list[str]:
        """All that is left, or so many cents."""
        with self.store.writing() as db:
            return self._money.refund(db, find_sale(db, sale_id), amount_cents)

    def resend(self, sale_id: str) -> list[str]:
        """The seller sends a sale's ping again by hand."""
        with self.store.writing() as db:
            sale = find_sale(db, sale_id)
            if sale["part"] == "sender":
                sale = db.execute(RECEIVED, [sale["subscription"]]).fetchone()
            self.queue.put(db, "sale", sale["id"])
        return ["The sale's ping is sent again."]

    def send_test(self) -> list[str]:
        with self.store.writing() as db:
            row = db.execute(
                "select id from sales where part != 'sender' order by number desc limit 1"
            ).fetchone()
            if row is None:
                raise Refusal("A test ping repeats the last sale, and there is none yet.")
            self.queue.put_test(db, row["id"])
        return ["A test ping is sent."]

    def set_endpoint(self, on: bool, as_json: bool = False) -> list[str]:
        """The channel of the seller's settings: who is told by the API as well hears of a sale twice. Only here JSON can be chosen."""
        with self.store.writing() as db:
            set_endpoint(db, on, as_json)
        return [f"The Ping endpoint of the settings is {'on' if on else 'off'}."]

    def run_due(self) -> list[str]:
        """What has fallen due by itself; asked often, so it looks before it takes the right to write."""
        with self.store.reading() as db:
            if not is_due(db):
                return []
        with self.store.writing() as db:
            return self._dues.run(db)

    def age(self, seconds: float) -> list[str]:
        """Everything written down is so much older; what falls due happens, in the same transaction."""
        with self.store.writing() as db:
            make_older(db, seconds)
            return self._dues.run(db)
