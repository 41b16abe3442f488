"""The fields of a ping, made from what is written down when it is first sent.

Source: `payload_for_ping_notification` of Purchase and the ping workers in https://github.com/antiwork/gumroad.
"""

from __future__ import annotations

import hashlib
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
        "full_name": row["full_name"], "purchaser_id": buyer_id(row), "subscription_id": row["id"],
        "affiliate_credit_amount_cents": sale["price"] // 10 if row["affiliate"] else None,
        "url_params": json.loads(sale["url_params"]), "variants": {"Tier": sale["tier"]},
        "offer_code": row["offer_code"], "test": True if row["test"] else None,
        "is_recurring_charge": True if is_recurring(sale) else None, "custom_fields": custom,
    }  # fmt: skip
    present = {key: value for key, value in told.items() if value not in (None, {}, "")}
    # A checkout field also stands under its own name, and over what was there before; a renewal has passed no checkout.
    typed = {} if is_recurring(sale) else custom
    return present | typed | _ending(product, sale, row, resource)


def is_recurring(sale: Row) -> bool:
    """A ping does not call the receiver's part of a gift a renewal, though the API does."""
    return bool(sale["recurring"]) and sale["part"] != "receiver"


def buyer_id(row: Row) -> str | None:
    """The account at the vendor that the buyer was signed in with, if any."""
    if not row["account_email"]:
        return None
    return str(int(hashlib.sha256(row["id"].encode()).hexdigest()[:12], 16))


def _seller_and_buyer(product: Product, sale: Row, row: Row) -> dict[str, Any]:
    return {
        "seller_id": product.seller_id, "product_id": row["product_id"] or product.product_id,
        "product_name": product.name, "permalink": product.permalink, "product_permalink": product.url,
        "short_product_id": product.permalink, "email": email_of(sale, row), "price": sale["price"],
        "gumroad_fee": fee(sale), "currency": "usd", "quantity": sale["quantity"], "discover_fee_charged": False,
        "can_contact": True, "referrer": "direct",
    }  # fmt: skip


def email_of(sale: Row, row: Row) -> str:
    """As it was typed: the giver's part of a gift bears the giver's."""
    return str(row["gifter_email"] if sale["part"] == "sender" else row["email"])


def fee(sale: Row) -> int:
    """Cents that the vendor keeps."""
    return sale["price"] // 10 + 50 if sale["price"] else 0


def _ending(product: Product, sale: Row, row: Row, resource: str) -> dict[str, Any]:
    gift = {"gift_price": sale["gift_price"], "gifter_email": row["gifter_email"]}
    last = {
        "license_key": row["license_key"], "is_multiseat_license": False, "ip_country": "Germany",
        "recurrence": row["recurrence"], "affiliate": row["affiliate"],
        "is_gift_receiver_purchase": sale["part"] == "receiver", **(gift if sale["part"] == "receiver" else {}),
        "refunded": is_refunded(sale), "resource_name": resource, "disputed": bool(sale["disputed"]),
        "dispute_won": bool(sale["dispute_won"]),
    }  # fmt: skip
    return {key: value for key, value in last.items() if value != ""}


def is_refunded(sale: Row) -> bool:
    """Only when all of it was given back."""
    paid = sale["price"] or sale["gift_price"]
    return bool(paid) and sale["refunded_cents"] >= paid


def _of_subscription(db: sqlite3.Connection, product: Product, row: Row, resource: str) -> dict[str, Any]:
    custom = json.loads(row["custom_fields"])
    return {
        "subscription_id": row["id"], "product_id": row["product_id"] or product.product_id,
        "product_name": product.name, "user_id": buyer_id(row), "user_email": row["account_email"] or row["email"],
        "purchase_ids": purchases_of(db, row["id"]), "created_at": iso(row["created"]),
        "charge_occurrence_count": row["charges"], "recurrence": row["recurrence"],
        "free_trial_ends_at": iso(row["trial_ends"]), **({"custom_fields": custom} if custom else {}),
        "license_key": row["license_key"], "resource_name": resource,
    }  # fmt: skip


def purchases_of(
    db: sqlite3.Connection, subscription_id: str, parts: str = "'', 'sender', 'receiver'"
) -> list[str]:
    """A ping names all of them, the API not what a receiver got for nothing; neither names what the seller only tried."""
    query = f"""
select sales.id from sales join subscriptions on subscriptions.id = sales.subscription
 where subscriptions.id = ? and subscriptions.test = 0 and sales.part in ({parts}) order by sales.number"""
    rows = db.execute(query, [subscription_id])
    return [row["id"] for row in rows]
