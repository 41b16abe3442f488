"""The lists of the API: filters, and pages that a key leads on from."""

from __future__ import annotations

import dataclasses
import datetime
import re
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.gumroad.product import Product

SALES_A_PAGE = 10
SUBSCRIBERS_A_PAGE = 100
KEY = re.compile(r"(\d{1,20})-(\d{1,18})")
ID = re.compile(r"[A-Za-z0-9_-]+={0,2}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Test purchases are not among the successful ones, nor is what a receiver got for nothing.
SALES = """
select sales.* from sales join subscriptions on subscriptions.id = sales.subscription
 where subscriptions.test = 0 and sales.part != 'receiver' and {filters} order by sales.created desc, sales.number desc limit {most} offset {skip}"""
SUBSCRIBERS = """
select * from subscriptions where test = 0 and failed_at is null and ended_at is null and product_id = ''
   and (cancelled_at is null or cancelled_at > :now)
   and {filters} order by created desc, number desc limit {most} offset {skip}"""
EMAIL_TYPED = (
    "case sales.part when 'sender' then subscriptions.gifter_email else subscriptions.email end = :email"
)
PRODUCT_SOLD = (
    "case subscriptions.product_id when '' then :ours else subscriptions.product_id end = :product_id"
)


class BadParameter(ValueError):
    """Answered with 400."""


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows, and the key of the next page or none."""

    rows: list[sqlite3.Row]
    key: str | None

    def more(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """What a page says of the next one: nothing on the last."""
        if self.key is None:
            return {}
        kept = {
            name: value for name, value in asked.items() if name not in ("access_token", "page", "page_key")
        }
        return {
            "next_page_key": self.key,
            "next_page_url": f"{path}?{urlencode({**kept, 'page_key': self.key})}",
        }


def sales(db: sqlite3.Connection, product: Product, asked: Mapping[str, str]) -> Page:
    """Raises BadParameter."""
    filters: dict[str, tuple[str, Any]] = {
        "after": ("sales.created >= :after", _day(asked, "after")),
        "before": ("sales.created < :before", _day(asked, "before")),
        "email": (EMAIL_TYPED, asked.get("email", "").strip() or None),
        "order_id": ("sales.number = :order_id", _number(asked, "order_id")),
        "product_id": (PRODUCT_SOLD, _product(asked)),
        "ours": ("1 = 1", product.product_id),
        "name": ("subscriptions.full_name = :name", asked.get("name", "").strip() or None),
        "license_key": ("subscriptions.license_key = :license_key", asked.get("license_key") or None),
    }
    return _page(db, SALES, filters, asked, SALES_A_PAGE, "sales.", (page_number(asked) - 1) * SALES_A_PAGE)


def page_number(asked: Mapping[str, str]) -> int:
    """The deprecated way through the list. Raises BadParameter."""
    text = asked.get("page", "1")
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise BadParameter("Invalid page number. Page numbers start at 1.")
    return int(text)


def subscribers(db: sqlite3.Connection, asked: Mapping[str, str], now: float) -> Page:
    """All of them at once unless pages are asked for. Raises BadParameter."""
    filters: dict[str, tuple[str, Any]] = {
        "email": ("email = :email", asked.get("email", "").strip() or None),
        "now": ("1 = 1", now),
    }
    in_pages = asked.get("paginated") in ("1", "true") or asked.get("page_key")
    return _page(db, SUBSCRIBERS, filters, asked, SUBSCRIBERS_A_PAGE if in_pages else None, "")


def _page(
    db: sqlite3.Connection,
    query: str,
    filters: dict[str, tuple[str, Any]],
    asked: Mapping[str, str],
    most: int | None,
    table: str,
    skip: int = 0,
) -> Page:
    used = {name: pair for name, pair in filters.items() if pair[1] is not None}
    values = {name: value for name, (_, value) in used.items()}
    words = [clause for clause, _ in used.values()]
    if asked.get("page_key"):
        values["created"], values["number"] = _read_key(asked["page_key"])
        words.append(f"(cast({table}created * 1000000 as integer), {table}number) < (:created, :number)")
    text = query.format(
        filters=" and ".join(words or ["1 = 1"]), most=-1 if most is None else most + 1, skip=skip
    )
    rows = db.execute(text, values).fetchall()
    if most is None or len(rows) <= most:
        return Page(rows, None)
    return Page(rows[:most], _key(rows[most - 1]))


def _key(row: sqlite3.Row) -> str:
    return f"{int(row['created'] * 1_000_000)}-{row['number']}"


def _read_key(text: str) -> tuple[int, int]:
    found = KEY.fullmatch(text)
    if not found or int(found[2]) == 0:
        raise BadParameter("Invalid page_key.")
    return min(int(found[1]), 2**62), int(found[2])


def _day(asked: Mapping[str, str], name: str) -> float | None:
    text = asked.get(name)
    if not text:
        return None
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise BadParameter(
            f"Invalid date format provided in field '{name}'. Dates must be in the format YYYY-MM-DD."
        ) from None
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp()


def _number(asked: Mapping[str, str], name: str) -> int | None:
    text = asked.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[1-9]\d{0,17}", text):
        raise BadParameter("Invalid order ID.")
    return int(text)


def _product(asked: Mapping[str, str]) -> str | None:
    """What is no id at all would otherwise widen the list to everything."""
    wanted = asked.get("product_id")
    if wanted and not ID.fullmatch(wanted):
        raise BadParameter("Invalid product ID.")
    return wanted or None
