"""Sales and subscriptions as the API tells them.

Source: `as_json` of Purchase and Subscription in https://github.com/antiwork/gumroad. A sale leaves out what is nil; a
subscription does not.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from typing import Any

from sandbox.gumroad.life import find, status
from sandbox.gumroad.payloads import CARD, buyer_id, email_of, fee, is_refunded, purchases_of
from sandbox.gumroad.product import Product
from sandbox.gumroad.store import iso, now

Row = sqlite3.Row


def sale(db: sqlite3.Connection, product: Product, sale: Row) -> dict[str, Any]:
    """What is nil is left out, except where the vendor adds the membership afterwards."""
    row = find(db, sale["subscription"])
    told = _of_purchase(product, sale, row) | _of_money(sale) | _of_gift(sale, row)
    return {key: value for key, value in told.items() if value is not None} | _of_membership(row, sale)


def _of_purchase(product: Product, sale: Row, row: Row) -> dict[str, Any]:
    email, is_giver = email_of(sale, row), sale["part"] == "sender"
    return {
        "id": sale["id"], "email": email if is_giver else row["account_email"] or email, "purchase_email": email,
        "full_name": row["full_name"] or None, "seller_id": product.seller_id, "timestamp": "less than a minute ago",
        "daystamp": iso(sale["created"]), "created_at": iso(sale["created"]),
        "product_id": row["product_id"] or product.product_id, "product_name": product.name,
        "product_has_variants": True, "product_permalink": product.permalink, "order_id": sale["number"],
        "variants": {"Tier": sale["tier"]}, "variants_and_quantity": _bought(sale), "quantity": sale["quantity"],
        "referrer": "direct", "has_custom_fields": row["custom_fields"] != "{}",
        "custom_fields": json.loads(row["custom_fields"]), "can_contact": True, "card": CARD,
        "license_key": row["license_key"], "license_disabled": False,
        "purchaser_id": None if is_giver else buyer_id(row), "affiliate": {"email": row["affiliate"]} if row["affiliate"] else None,
        "offer_code": _offer(product, row), "country": "Germany", "country_iso2": "DE",
    }  # fmt: skip


def _bought(sale: Row) -> str:
    seats = f" x {sale['quantity']}" if sale["quantity"] > 1 else ""
    return f"({sale['tier']}){seats}"


def _offer(product: Product, row: Row) -> dict[str, str] | None:
    """A text in a ping, an object here."""
    code = row["offer_code"]
    off = f"{product.offer_codes.get(code, 0)}%"
    return {"code": code, "name": code, "displayed_amount_off": off} if code else None


def _of_money(sale: Row) -> dict[str, Any]:
    """A purchase of which nothing was ever given back does not say that it was not."""
    left, gone = sale["price"] - sale["refunded_cents"], sale["refunded_cents"] > 0
    return {
        "price": sale["price"], "gumroad_fee": fee(sale),
        "currency_symbol": "$", "formatted_total_price": f"${sale['price'] / 100:g}",
        "amount_refundable_in_currency": f"{max(left, 0) / 100:g}", "refunded": is_refunded(sale) if gone else None,
        "partially_refunded": not is_refunded(sale) if gone else None,
        "chargedback": bool(sale["disputed"]) and not sale["dispute_won"], "disputed": bool(sale["disputed"]),
        "dispute_won": bool(sale["dispute_won"]), "paid": sale["price"] != 0,
    }  # fmt: skip


def _of_gift(sale: Row, row: Row) -> dict[str, Any]:
    is_gift = bool(sale["part"])
    return {
        "is_gift_sender_purchase": sale["part"] == "sender", "is_gift_receiver_purchase": sale["part"] == "receiver",
        "giftee_email": row["email"] if is_gift else None, "gifter_email": row["gifter_email"] if is_gift else None,
    }  # fmt: skip


def _of_membership(row: Row, sale: Row) -> dict[str, Any]:
    """`ended` is of memberships with a fixed length alone; what has really ended is `dead`."""
    trial = row["trial_ends"]
    return {
        "is_recurring_billing": True, "subscription_duration": sale["recurrence"], "subscription_id": row["id"],
        "cancelled": row["cancelled_at"] is not None or row["failed_at"] is not None,
        "ended": row["ended_at"] is not None, "dead": not is_alive(row), "recurring_charge": bool(sale["recurring"]),
        "free_trial_ended": None if trial is None else trial <= now(),
        "free_trial_ends_on": None if trial is None else _day(trial),
    }  # fmt: skip


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%b %-d, %Y")


def is_alive(row: Row) -> bool:
    """Whether it still gives access."""
    if row["failed_at"] is not None or row["ended_at"] is not None:
        return False
    return row["cancelled_at"] is None or row["cancelled_at"] > now()


def subscriber(db: sqlite3.Connection, product: Product, row: Row) -> dict[str, Any]:
    """A guest's `user_email` is nil and `email` the one that was typed; of an account it is the account's in both."""
    return {
        "id": row["id"], "email": row["account_email"] or row["email"],
        "product_id": row["product_id"] or product.product_id, "product_name": product.name,
        "user_id": buyer_id(row), "user_email": row["account_email"],
        "purchase_ids": purchases_of(db, row["id"], "'', 'sender'"), "created_at": iso(row["created"]),
        "user_requested_cancellation_at": iso(row["requested_at"]), "charge_occurrence_count": row["charges"],
        "recurrence": row["recurrence"], "cancelled_at": iso(row["cancelled_at"]), "ended_at": iso(row["ended_at"]),
        "failed_at": iso(row["failed_at"]), "free_trial_ends_at": iso(row["trial_ends"]), "status": status(row),
        "license_key": row["license_key"],
    }  # fmt: skip
