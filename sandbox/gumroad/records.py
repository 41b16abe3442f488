"""Sales and subscriptions as the API tells them.

Source: `as_json` of Purchase and Subscription in https://github.com/antiwork/gumroad. A sale leaves out what is nil; a
subscription does not.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from sandbox.gumroad.life import find, status
from sandbox.gumroad.payloads import CARD, is_refunded, purchases_of
from sandbox.gumroad.product import Product
from sandbox.gumroad.store import iso, now

Row = sqlite3.Row


def sale(db: sqlite3.Connection, product: Product, sale: Row) -> dict[str, Any]:
    row = find(db, sale["subscription"])
    told = _of_purchase(product, sale, row) | _of_money(sale) | _of_membership(row, sale)
    return {key: value for key, value in told.items() if value is not None}


def _of_purchase(product: Product, sale: Row, row: Row) -> dict[str, Any]:
    return {
        "id": sale["id"], "email": row["email"], "purchase_email": row["email"], "full_name": row["full_name"] or None,
        "seller_id": product.seller_id, "timestamp": "less than a minute ago", "daystamp": iso(sale["created"]),
        "created_at": iso(sale["created"]), "product_id": product.product_id, "product_name": product.name,
        "product_has_variants": True, "product_permalink": product.permalink, "order_id": sale["number"],
        "variants": {"Tier": sale["tier"]}, "variants_and_quantity": f"({sale['tier']})", "quantity": 1, "referrer": "direct",
        "has_custom_fields": row["custom_fields"] != "{}", "custom_fields": json.loads(row["custom_fields"]),
        "can_contact": True, "card": CARD, "license_key": row["license_key"], "license_disabled": False,
        "purchaser_id": None, "affiliate": None, "country": "Germany", "country_iso2": "DE",
    }  # fmt: skip


def _of_money(sale: Row) -> dict[str, Any]:
    left = sale["price"] - sale["refunded_cents"]
    return {
        "price": sale["price"], "gumroad_fee": sale["price"] // 10 + 50 if sale["price"] else 0,
        "currency_symbol": "$", "formatted_total_price": f"${sale['price'] / 100:g}",
        "amount_refundable_in_currency": f"{left / 100:g}", "refunded": is_refunded(sale),
        "partially_refunded": 0 < sale["refunded_cents"] < sale["price"], "chargedback": bool(sale["disputed"]),
        "disputed": bool(sale["disputed"]), "dispute_won": bool(sale["dispute_won"]), "paid": sale["price"] != 0,
    }  # fmt: skip


def _of_membership(row: Row, sale: Row) -> dict[str, Any]:
    """`ended` is of memberships with a fixed length alone; what has really ended is `dead`."""
    return {
        "is_recurring_billing": True, "subscription_duration": sale["recurrence"], "subscription_id": row["id"],
        "cancelled": row["cancelled_at"] is not None or row["failed_at"] is not None, "ended": False,
        "dead": not is_alive(row), "recurring_charge": bool(sale["recurring"]), "is_gift_sender_purchase": False,
        "is_gift_receiver_purchase": False, "free_trial_ended": None, "free_trial_ends_on": None,
    }  # fmt: skip


def is_alive(row: Row) -> bool:
    """Whether it still gives access."""
    return row["failed_at"] is None and (row["cancelled_at"] is None or row["cancelled_at"] > now())


def subscriber(db: sqlite3.Connection, product: Product, row: Row) -> dict[str, Any]:
    """The buyers of this store are guests, so `user_email` is nil and `email` is the one that they typed."""
    return {
        "id": row["id"], "email": row["email"], "product_id": product.product_id, "product_name": product.name,
        "user_id": None, "user_email": None, "purchase_ids": purchases_of(db, row["id"]),
        "created_at": iso(row["created"]), "user_requested_cancellation_at": iso(row["requested_at"]),
        "charge_occurrence_count": None, "recurrence": row["recurrence"], "cancelled_at": iso(row["cancelled_at"]),
        "ended_at": None, "failed_at": iso(row["failed_at"]), "free_trial_ends_at": None, "status": status(row),
        "license_key": row["license_key"],
    }  # fmt: skip
