"""A small Gumroad: subscriptions that live as Gumroad's do, an HTTP API that tells of them, and the pings it would send.

The order of `status` follows `app/models/subscription.rb`, the encoding HTTParty's, both of the open server.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from django.utils import timezone

SALES_A_PAGE = 10
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
    completed_at: datetime | None = None
    first_end: datetime | None = None  # what a dispute moved
    unheard_end: datetime | None = None  # before a return without a charge, of which nobody may have heard
    deactivated: bool = False
    pending_failure: bool = False
    product: str = PRODUCT
    sales: list[str] = field(default_factory=list)

    @property
    def ended_at(self) -> datetime | None:
        """When what it was paid for was over, whatever a dispute says later on."""
        return self.first_end or self.failed_at or self.cancelled_at

    @property
    def status(self) -> str:
        if self.deactivated:
            ended = "fixed_subscription_period_ended" if self.completed_at else "cancelled"
            return "failed_payment" if self.failed_at else ended
        if self.pending_failure:
            return "pending_failure"
        return "pending_cancellation" if self.cancelled_at and self.cancelled_at > timezone.now() else "alive"


class Shop:
    """What is sold, and what was asked by whom."""

    def __init__(self) -> None:
        self.url = ""
        self.clear()

    def clear(self) -> None:
        self.bought: dict[str, Bought] = {}
        self.sales: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.closed = self.slow_list = False
        self.hidden: set[str] = set()
        self.stale_keys: set[str] = set()
        self.spoiled: dict[
            str, dict[str, Any]
        ] = {}  # what the list tells otherwise than it is, by the sale's id

    # --- what happens at the shop; each answers the pings that Gumroad sends

    def buy(
        self, email: str = "alice@example.test", tier: str = "Plus", *, days_ago: float = 40, **other: Any
    ) -> list[bytes]:
        number = len(self.bought) + 1
        bought = Bought(f"sub{number}==", email, tier, timezone.now() - timedelta(days=days_ago), **other)
        self.bought[bought.id] = bought
        return self.charge(bought, at=bought.created_at)

    def give(self, giver: str, receiver: str) -> list[bytes]:
        """Two sales: the giver's with the price, which the API lists, and the receiver's seconds later, which is told."""
        self.buy(email=receiver)
        bought = self.bought[f"sub{len(self.bought)}=="]
        given, at = self.sales[bought.sales[0]], bought.created_at + timedelta(seconds=2)
        received = {**given, "id": f"sale{len(self.sales) + 1}==", "price": 0, "created_at": _iso(at)}
        self.sales[received["id"]] = received | {"is_gift_receiver_purchase": True}
        given |= {"email": giver, "purchase_email": giver, "full_name": "Gertrude Giver"}
        given |= {"giftee_email": receiver, "is_gift_sender_purchase": True}
        return [self.sale_ping(received["id"], is_gift_receiver_purchase=True, gifter_email=giver)]

    def charge(self, bought: Bought, at: datetime | None = None) -> list[bytes]:
        sale = {
            "id": f"sale{len(self.sales) + 1}==",
            "seller_id": SELLER,
            "product_id": bought.product,
            "email": bought.email,
            "purchase_email": bought.email,
            "full_name": "Alice Baker",
            "created_at": _iso(at or timezone.now()),
            "subscription_id": bought.id,
            "variants": {"Tier": bought.tier},
            "price": 3900,
        }
        self.sales[sale["id"]] = sale
        bought.first_end = bought.unheard_end = None
        bought.sales.append(sale["id"])
        return [self.sale_ping(sale["id"])]

    def cancel(self, bought: Bought, days: float = 20) -> list[bytes]:
        bought.cancelled_at = timezone.now() + timedelta(days=days)
        return [self.ping(bought, "cancellation", cancelled=True, cancelled_at=_iso(bought.cancelled_at))]

    def end(self, bought: Bought, days_ago: float = 0) -> list[bytes]:
        bought.cancelled_at = timezone.now() - timedelta(days=days_ago)
        bought.deactivated = True
        return [self.ping(bought, "subscription_ended", ended_reason="cancelled")]

    def fail(self, bought: Bought) -> list[bytes]:
        bought.failed_at, bought.deactivated = timezone.now(), True
        cancelled = self.ping(bought, "cancellation", cancelled=True, cancelled_due_to_payment_failures=True)
        return [cancelled, self.ping(bought, "subscription_ended", ended_reason="failed_payment")]

    def restart(self, bought: Bought) -> list[bytes]:
        bought.cancelled_at = bought.failed_at = None
        bought.deactivated = bought.pending_failure = False
        return [self.ping(bought, "subscription_restarted"), *self.charge(bought)]

    def refund(self, sale_id: str, *, in_full: bool = False) -> list[bytes]:
        self.sales[sale_id]["refunded" if in_full else "partially_refunded"] = True
        return [self.sale_ping(sale_id, "refund", refunded=in_full)]

    def dispute(self, bought: Bought, sale_id: str = "") -> list[bytes]:
        """Gumroad ends the subscription with it; of what had ended already, the end moves to this moment."""
        sale_id = sale_id or bought.sales[-1]
        self.sales[sale_id]["disputed"] = True
        told = self.sale_ping(sale_id, "dispute", disputed=True)
        if not bought.deactivated:
            return [told, *self.end(bought)]
        bought.first_end = bought.ended_at
        return [told, *self.cancel(bought, days=0)]

    def win(self, bought: Bought, sale_id: str = "") -> list[bytes]:
        """It begins again without a charge; an end that was to come is withdrawn."""
        sale_id = sale_id or bought.sales[-1]
        self.sales[sale_id]["dispute_won"] = True
        told = self.sale_ping(sale_id, "dispute_won", disputed=True, dispute_won=True)
        if bought.deactivated:
            bought.unheard_end = bought.unheard_end or bought.ended_at
        bought.cancelled_at = bought.failed_at = bought.first_end = None
        bought.deactivated = False
        return [told, self.ping(bought, "subscription_restarted")]

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

    def announce(self, bought: Bought, tier: str, days: float = 20) -> bytes:
        plans = {"old_plan": {"tier": {"name": bought.tier}}, "new_plan": {"tier": {"name": tier}}}
        at = _iso(timezone.now() + timedelta(days=days))
        return self.ping(bought, "subscription_updated", type="downgrade", effective_as_of=at, **plans)

    # --- the API

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        if self.closed:
            return 503, {}
        address, _, query = path.removeprefix("/v2/").partition("?")
        kind, _, its_id = address.partition("/")
        its_id = unquote(its_id)
        if address == "sales" and self.slow_list:
            return 400, {"status": 400, "error": "Query timed out. Try narrowing the date range."}
        if address == "sales":
            return self.list_sales(dict(parse_qsl(query)))
        if its_id in self.hidden:
            return 200, {"success": False, "message": f"The {kind} was not found."}
        if kind == "sales" and its_id in self.sales:
            return 200, {"success": True, "sale": self.sales[its_id]}
        if kind == "subscribers" and its_id in self.bought:
            return 200, {"success": True, "subscriber": _subscriber(self.bought[its_id])}
        return 200, {"success": False, "message": f"The {kind} was not found."}

    def list_sales(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Ten a page, the newest first; a key is the number of the sale before."""
        if asked.get("page_key") in self.stale_keys:
            return 400, {"status": 400, "error": "Invalid page_key."}
        paid = [sale for sale in self.sales.values() if not sale.get("is_gift_receiver_purchase")]
        rows = sorted(paid, key=lambda sale: (sale["created_at"], sale.get("id", "")), reverse=True)
        rows = [sale for sale in rows if sale["created_at"][:10] >= asked.get("after", "")]
        begin = int(asked.get("page_key", "0"))
        told = [{**sale, **self.spoiled.get(sale.get("id", ""), {})} for sale in rows]
        page = {"success": True, "sales": told[begin : begin + SALES_A_PAGE]}
        more = len(rows) > begin + SALES_A_PAGE
        return 200, {**page, "next_page_key": str(begin + SALES_A_PAGE)} if more else page


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
        "ended_at": _iso(bought.completed_at),
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
        disable_nagle_algorithm = True

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
