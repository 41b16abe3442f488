"""A small Gumroad: subscriptions that live as Gumroad's do, an HTTP API that tells of them, and the pings it would send.

The order of `status` follows `app/models/subscription.rb`, the encoding HTTParty's, both of the open server.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

PRODUCT, SELLER = "product==", "seller=="


def encode(fields: dict[str, Any]) -> bytes:
    """As HTTParty does it: brackets within a name are encoded twice, nothing is an empty text."""
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in _flat(fields)).encode()


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            name = name.replace("[", "%5B").replace("]", "%5D")
            yield from _flat(inner, f"{key}[{name}]" if key else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, f"{key}[]")
    else:
        yield key, {None: "", True: "true", False: "false"}.get(value, str(value))


@dataclass
class Bought:
    """One subscription at the shop."""

    id: str
    email: str
    tier: str
    created_at: datetime
    cancelled_at: datetime | None = None
    failed_at: datetime | None = None
    deactivated: bool = False
    pending_failure: bool = False
    product: str = PRODUCT
    sales: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.deactivated:
            return "failed_payment" if self.failed_at else "cancelled"
        if self.pending_failure:
            return "pending_failure"
        return (
            "pending_cancellation" if self.cancelled_at and self.cancelled_at > datetime.now(UTC) else "alive"
        )


class Shop:
    """What is sold, and what was asked by whom."""

    def __init__(self) -> None:
        self.url = ""
        self.clear()

    def clear(self) -> None:
        self.bought: dict[str, Bought] = {}
        self.sales: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.closed = False
        self.hidden: set[str] = set()

    # --- what happens at the shop; each answers the pings that Gumroad sends

    def buy(self, email: str = "alice@example.test", tier: str = "Plus", **other: Any) -> list[bytes]:
        number = len(self.bought) + 1
        bought = Bought(f"sub{number}==", email, tier, datetime.now(UTC) - timedelta(days=40), **other)
        self.bought[bought.id] = bought
        return self.charge(bought, at=bought.created_at)

    def charge(self, bought: Bought, at: datetime | None = None) -> list[bytes]:
        sale = {
            "id": f"sale{len(self.sales) + 1}==",
            "seller_id": SELLER,
            "product_id": bought.product,
            "email": bought.email,
            "purchase_email": bought.email,
            "full_name": "Alice Baker",
            "created_at": _iso(at or datetime.now(UTC)),
            "subscription_id": bought.id,
            "variants": {"Tier": bought.tier},
            "price": 3900,
        }
        self.sales[sale["id"]] = sale
        bought.sales.append(sale["id"])
        return [self.sale_ping(sale["id"])]

    def cancel(self, bought: Bought, days: float = 20) -> list[bytes]:
        bought.cancelled_at = datetime.now(UTC) + timedelta(days=days)
        return [self.ping(bought, "cancellation", cancelled=True, cancelled_at=_iso(bought.cancelled_at))]

    def end(self, bought: Bought, days_ago: float = 0) -> list[bytes]:
        bought.cancelled_at = datetime.now(UTC) - timedelta(days=days_ago)
        bought.deactivated = True
        return [self.ping(bought, "subscription_ended", ended_reason="cancelled")]

    def fail(self, bought: Bought) -> list[bytes]:
        bought.failed_at, bought.deactivated = datetime.now(UTC), True
        cancelled = self.ping(bought, "cancellation", cancelled=True, cancelled_due_to_payment_failures=True)
        return [cancelled, self.ping(bought, "subscription_ended", ended_reason="failed_payment")]

    def restart(self, bought: Bought) -> list[bytes]:
        bought.cancelled_at = bought.failed_at = None
        bought.deactivated = bought.pending_failure = False
        return [self.ping(bought, "subscription_restarted"), *self.charge(bought)]

    def refund(self, sale_id: str) -> list[bytes]:
        self.sales[sale_id]["partially_refunded"] = True
        return [self.sale_ping(sale_id, "refund", refunded=False)]

    # --- pings

    def sale_ping(self, sale_id: str, kind: str = "sale", **more: Any) -> bytes:
        sale = self.sales[sale_id]
        fields = {
            "seller_id": SELLER,
            "product_id": sale["product_id"],
            "product_name": "Mailat",
            "email": sale["email"],
            "price": 3900,
            "card": {"visual": "**** 4242", "type": "visa", "bin": None},
            "sale_id": sale_id,
            "subscription_id": sale["subscription_id"],
            "variants": sale["variants"],
            "url_params": {"from": "landing"},
            "resource_name": kind,
        }
        return encode({**fields, **more})

    def ping(self, bought: Bought, kind: str, **more: Any) -> bytes:
        fields = {
            "subscription_id": bought.id,
            "product_id": bought.product,
            "user_id": None,
            "user_email": bought.email,
            "purchase_ids": bought.sales,
            "resource_name": kind,
        }
        return encode({**fields, **more})

    def announce(self, bought: Bought, tier: str) -> bytes:
        plans = {"old_plan": {"tier": {"name": bought.tier}}, "new_plan": {"tier": {"name": tier}}}
        return self.ping(bought, "subscription_updated", type="downgrade", **plans)

    # --- the API

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        if self.closed:
            return 503, {}
        kind, _, its_id = path.removeprefix("/v2/").partition("/")
        its_id = unquote(its_id)
        if its_id in self.hidden:
            return 200, {"success": False, "message": f"The {kind} was not found."}
        if kind == "sales" and its_id in self.sales:
            return 200, {"success": True, "sale": self.sales[its_id]}
        if kind == "subscribers" and its_id in self.bought:
            return 200, {"success": True, "subscriber": _subscriber(self.bought[its_id])}
        return 200, {"success": False, "message": f"The {kind} was not found."}


def _subscriber(bought: Bought) -> dict[str, Any]:
    return {
        "id": bought.id,
        "email": bought.email,
        "product_id": bought.product,
        "user_email": None,
        "purchase_ids": bought.sales,
        "created_at": _iso(bought.created_at),
        "recurrence": "monthly",
        "cancelled_at": _iso(bought.cancelled_at),
        "failed_at": _iso(bought.failed_at),
        "ended_at": None,
        "status": bought.status,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


@contextmanager
def opened() -> Iterator[Shop]:
    """The shop behind a real HTTP server."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shop.asked.append(self.path)
            status, answer = shop.answer(self.path)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    shop.url = f"http://127.0.0.1:{server.server_port}/v2"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
