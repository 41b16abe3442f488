"""The stand-in's own JSON: what tests use to buy, to let things happen, and to make them go wrong."""

from __future__ import annotations

import dataclasses
from typing import Any

import flask

from sandbox.gumroad import faults as kinds
from sandbox.gumroad import records
from sandbox.gumroad.changes import seats
from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.faults import Faults
from sandbox.gumroad.life import find
from sandbox.gumroad.orders import Order
from sandbox.gumroad.pings import clear_faults, has_endpoint
from sandbox.gumroad.shop import Shop
from sandbox.gumroad.sights import log_of_pings
from sandbox.hetzner.control import refuse_strangers

Answer = flask.typing.ResponseReturnValue
TEXTS = ("offer_code", "giftee_email", "account_email", "affiliate", "product_id")
MOST_NUMBER = 3600
STATUS = {Wrong: 400, Missing: 404, Refusal: 409}


class Doors:
    """Below /sandbox; nothing of it exists at the vendor."""

    def __init__(self, shop: Shop, faults: Faults) -> None:
        self._shop, self._store, self._faults = shop, shop.store, faults

    def buy(self) -> Answer:
        return flask.jsonify(dataclasses.asdict(self._shop.buy(_order(_wish()))))

    def act(self, id: str, what: str) -> Answer:
        happened = self._shop.act(id, what, **_wish())
        return flask.jsonify({"happened": happened, "subscription": self._subscription(id)})

    def _subscription(self, id: str) -> dict[str, Any]:
        with self._store.reading() as db:
            return records.subscriber(db, self._shop.product, find(db, id))

    def resend(self, id: str) -> Answer:
        return flask.jsonify({"happened": self._shop.resend(id)})

    def send_test(self) -> Answer:
        return flask.jsonify({"happened": self._shop.send_test()})

    def set_endpoint(self) -> Answer:
        return flask.jsonify({"happened": self._shop.set_endpoint(_flag("on"), bool(_wish().get("json")))})

    def set_revoked(self) -> Answer:
        return flask.jsonify({"happened": self._shop.set_revoked(_flag("revoked"))})

    def set_timing(self) -> Answer:
        sale, event, cron = (_number(_wish(), name) for name in ("sale", "event", "cron"))
        return flask.jsonify({"happened": self._shop.set_timing(sale, event, cron)})

    def rename_tier(self) -> Answer:
        wish = _wish()
        happened = self._shop.rename_tier(str(wish.get("tier") or ""), str(wish.get("name") or ""))
        return flask.jsonify({"happened": happened})

    def state(self) -> Answer:
        product = self._shop.product
        with self._store.reading() as db:
            subscriptions = db.execute("select * from subscriptions order by number").fetchall()
            sales = db.execute("select * from sales order by number").fetchall()
            told = {
                "subscriptions": [records.subscriber(db, product, row) for row in subscriptions],
                "sales": [records.sale(db, product, row) for row in sales],
                "pings": log_of_pings(db),
                "ping_endpoint": has_endpoint(db),
            }
        return flask.jsonify({**told, "faults": self._told_faults()})

    def _told_faults(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(fault) for fault in self._faults.all()]

    def list_faults(self) -> Answer:
        return flask.jsonify({"faults": self._told_faults(), "kinds": kinds.KINDS})

    def add_fault(self) -> Answer:
        fault = self._faults.add(kinds.read(_wish()))
        return flask.jsonify({"fault": dataclasses.asdict(fault)}), 201

    def clear_faults(self) -> Answer:
        with self._store.writing() as db:
            clear_faults(db)
        return flask.jsonify({"faults": []})


def _wish() -> dict[str, Any]:
    """The JSON object that was sent, or none."""
    content = flask.request.get_json(silent=True)
    return content if isinstance(content, dict) else {}


def _order(wish: dict[str, Any]) -> Order:
    """Raises Wrong."""
    return Order(
        email=str(wish.get("email") or ""),
        tier=str(wish.get("tier") or ""),
        recurrence=str(wish.get("recurrence") or "monthly"),
        full_name=str(wish.get("full_name") or ""),
        url_params=_texts(wish, "url_params"),
        custom_fields=_texts(wish, "custom_fields"),
        quantity=seats(wish.get("quantity") or 1),
        force_new=wish.get("force_new") is True,
        free_trial_days=_number(wish, "free_trial_days"),
        charges=seats(wish["charges"]) if wish.get("charges") else None,
        **{name: str(wish.get(name) or "") for name in TEXTS},
    )


def _flag(name: str) -> bool:
    on = _wish().get(name)
    if not isinstance(on, bool):
        raise Wrong(f"{name} must be true or false.")
    return on


def _number(wish: dict[str, Any], name: str) -> float:
    try:
        number = float(wish.get(name) or 0)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= MOST_NUMBER:
        raise Wrong(f"{name} must be a number from 0 to {MOST_NUMBER}.")
    return number


def _texts(wish: dict[str, Any], name: str) -> dict[str, str]:
    table = wish.get(name) or {}
    if not isinstance(table, dict):
        raise Wrong(f"{name} must be an object.")
    return {str(key): str(value) for key, value in table.items()}


def refuse(problem: Exception) -> Answer:
    return flask.jsonify({"error": str(problem.args[0])}), STATUS[type(problem)]


def doors(shop: Shop, faults: Faults) -> flask.Blueprint:
    """The blueprint to stand below /sandbox."""
    blueprint, view = flask.Blueprint("sandbox", __name__), Doors(shop, faults)
    blueprint.before_request(refuse_strangers)
    for kind in STATUS:
        blueprint.register_error_handler(kind, refuse)
    blueprint.add_url_rule("/buy", view_func=view.buy, methods=["POST"])
    blueprint.add_url_rule("/subscriptions/<id>/<what>", view_func=view.act, methods=["POST"])
    blueprint.add_url_rule("/resend/<id>", view_func=view.resend, methods=["POST"])
    blueprint.add_url_rule("/test-ping", view_func=view.send_test, methods=["POST"])
    blueprint.add_url_rule("/ping-endpoint", view_func=view.set_endpoint, methods=["POST"])
    blueprint.add_url_rule("/token", view_func=view.set_revoked, methods=["POST"])
    blueprint.add_url_rule("/timing", view_func=view.set_timing, methods=["POST"])
    blueprint.add_url_rule("/tiers", view_func=view.rename_tier, methods=["POST"])
    blueprint.add_url_rule("/state", view_func=view.state)
    blueprint.add_url_rule("/faults", view_func=view.list_faults)
    blueprint.add_url_rule("/faults", view_func=view.add_fault, methods=["POST"])
    blueprint.add_url_rule("/faults", view_func=view.clear_faults, methods=["DELETE"])
    return blueprint
