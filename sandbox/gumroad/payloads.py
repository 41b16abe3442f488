"""The fields of a ping, made from what is written down when it is first sent.

Source: `payload_for_ping_notification` of Purchase and the ping workers in https://github.com/antiwork/gumroad.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from sandbox.gumroad.life import find
from sandbox.gumroad.money import find_sale
from sandbox.gumroad.pings import OF_A_SALE
from sandbox.gumroad.product import Product
from sandbox.gumroad.store import iso

Row = sqlite3.Row
CARD = {
    "visual": "**** **** **** 4242",
    "type": "visa",
    "bin": None,
    "expiry_month": None,
    "expiry_year": None,
}


def fields(db: sqlite3.Connection, product: Product, ping: Row) -> dict[str, Any] | None:
    """What is sent; none if the subscription has changed in the meantime so that it is not true any more."""
    more = json.loads(ping["more"])
    if ping["resource"] in OF_A_SALE or not ping["resource"]:
        sale = find_sale(db, ping["about"])
        return _of_sale(product, sale, find(db, sale["subscription"]), ping["resource"]) | more
    row = find(db, ping["about"])
    return (
        None
        if _is_stale(row, ping["resource"])
        else _of_subscription(db, product, row, ping["resource"]) | more
    )


def _is_stale(row: Row, resource: str) -> bool:
    if resource == "subscription_ended":
        return row["deactivated_at"] is None
    ends = row["deactivated_at"] or row["cancelled_at"] or row["failed_at"]
    return resource == "subscription_restarted" and ends is not None


def _of_sale(product: Product, sale: Row, row: Row, resource: str) -> dict[str, Any]:
    custom = json.loads(row["custom_fields"])
    told = _seller_and_buyer(product, sale, row) | {
        "card": CARD, "order_number": sale["number"], "sale_id": sale["id"], "sale_timestamp": iso(sale["created"]),
        "full_name": row["full_name"], "subscription_id": row["id"], "url_params": json.loads(sale["url_params"]),
        "variants": {"Tier": sale["tier"]}, "test": True if row["test"] else None,
        "is_recurring_charge": True if sale["recurring"] else None, "custom_fields": custom,
    }  # fmt: skip
    present = {key: value for key, value in told.items() if value not in (None, {}, "")}
    # A checkout field also stands under its own name, and over what was there before.
    return present | custom | _ending(product, sale, row, resource)


def _seller_and_buyer(product: Product, sale: Row, row: Row) -> dict[str, Any]:
    return {
        "seller_id": product.seller_id, "product_id": product.product_id, "product_name": product.name,
        "permalink": product.permalink, "product_permalink": product.url, "short_product_id": product.permalink,
        "email": row["email"], "price": sale["price"], "gumroad_fee": sale["price"] // 10 + 50 if sale["price"] else 0,
        "currency": "usd", "quantity": 1, "discover_fee_charged": False, "can_contact": True, "referrer": "direct",
    }  # fmt: skip


def _ending(product: Product, sale: Row, row: Row, resource: str) -> dict[str, Any]:
    last = {
        "license_key": row["license_key"], "is_multiseat_license": False, "ip_country": "Germany",
        "recurrence": sale["recurrence"], "is_gift_receiver_purchase": False, "refunded": is_refunded(sale),
        "resource_name": resource, "disputed": bool(sale["disputed"]), "dispute_won": bool(sale["dispute_won"]),
    }  # fmt: skip
    return {key: value for key, value in last.items() if value != ""}


def is_refunded(sale: Row) -> bool:
    """Only when all of it was given back."""
    return bool(sale["price"]) and sale["refunded_cents"] >= sale["price"]


def _of_subscription(db: sqlite3.Connection, product: Product, row: Row, resource: str) -> dict[str, Any]:
    custom = json.loads(row["custom_fields"])
    return {
        "subscription_id": row["id"], "product_id": product.product_id, "product_name": product.name, "user_id": None,
        "user_email": row["email"], "purchase_ids": purchases_of(db, row["id"]), "created_at": iso(row["created"]),
        "charge_occurrence_count": None, "recurrence": row["recurrence"], "free_trial_ends_at": None,
        **({"custom_fields": custom} if custom else {}), "license_key": row["license_key"], "resource_name": resource,
    }  # fmt: skip


def purchases_of(db: sqlite3.Connection, subscription_id: str) -> list[str]:
    rows = db.execute("select id from sales where subscription = ? order by number", [subscription_id])
    return [row["id"] for row in rows]
