"""The API v2, as far as Mailat could use it.

Source: app/controllers/api/v2 in https://github.com/antiwork/gumroad. What is not found is answered with 200 and no success.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import flask

from sandbox.gumroad import lists, records
from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.faults import Faults
from sandbox.gumroad.life import find
from sandbox.gumroad.money import find_sale
from sandbox.gumroad.pings import RESOURCES, subscribe
from sandbox.gumroad.shop import Shop
from sandbox.gumroad.store import chosen, now
from sandbox.gumroad.trouble import DeepPages, Trouble, too_many

Answer = flask.typing.ResponseReturnValue


class Api:
    """The doors below /v2."""

    def __init__(self, shop: Shop, faults: Faults, token: str) -> None:
        self._shop, self._store, self._product = shop, shop.store, shop.product
        self._faults, self._token = faults, token
        self.trouble, self.deep_pages = Trouble(faults), DeepPages()

    def before(self) -> Answer | None:
        if instead := self.trouble.before():
            return instead
        if not self._is_known():
            says = {"error": "invalid_token", "error_description": "The access token is invalid"}
            return flask.jsonify(says), 401, {"WWW-Authenticate": 'Bearer realm="Doorkeeper"'}
        if self._faults.take("success_false"):
            return failure("Something went wrong.")
        return None

    def _is_known(self) -> bool:
        kind, _, token = flask.request.headers.get("Authorization", "").partition(" ")
        given = token.strip() if kind.lower() == "bearer" else flask.request.values.get("access_token", "")
        with self._store.reading() as db:
            if chosen(db, "revoked"):
                return False
        return bool(self._token) and hmac.compare_digest(given.encode(), self._token.encode())

    def user(self) -> Answer:
        seller = {
            "user_id": self._product.seller_id, "id": self._product.seller_id, "name": "The seller",
            "email": self._product.seller_email, "bio": None, "url": f"https://{self._product.permalink}.gumroad.com",
        }  # fmt: skip
        return success(user=seller)

    def sales(self) -> Answer:
        if instead := self.trouble.of_a_list():
            return instead
        number = lists.page_number(flask.request.args)
        if self.deep_pages.refuses(flask.request.remote_addr or "", number):
            return too_many(DeepPages.SECONDS)
        with self._store.reading() as db:
            page = lists.sales(db, self._product, flask.request.args)
            told = [records.sale(db, self._product, row) for row in page.rows]
        return success(sales=told, **page.more(flask.request.path, flask.request.args))

    def sale(self, id: str) -> Answer:
        if self.trouble.is_hidden():
            return failure("The sale was not found.")
        try:
            with self._store.reading() as db:
                return success(sale=records.sale(db, self._product, find_sale(db, id)))
        except Missing:
            return failure("The sale was not found.")

    def refund(self, id: str) -> Answer:
        try:
            self._shop.refund(id, flask.request.values.get("amount_cents"))
        except Missing:
            return failure("The sale was not found.")
        except (Refusal, Wrong) as problem:
            return failure(str(problem))
        return self.sale(id)

    def subscribers(self, product: str) -> Answer:
        if product not in (self._product.product_id, self._product.permalink):
            return failure("The product was not found.")
        if instead := self.trouble.of_a_list():
            return instead
        with self._store.reading() as db:
            page = lists.subscribers(db, flask.request.args, now())
            told = [records.subscriber(db, self._product, row) for row in page.rows]
        return success(subscribers=told, **page.more(flask.request.path, flask.request.args))

    def subscriber(self, id: str) -> Answer:
        if self.trouble.is_hidden():
            return failure("The subscriber was not found.")
        try:
            with self._store.reading() as db:
                return success(subscriber=records.subscriber(db, self._product, find(db, id)))
        except Missing:
            return failure("The subscriber was not found.")

    def listen(self) -> Answer:
        resource = flask.request.values.get("resource_name", "")
        url = flask.request.values.get("post_url", "")
        if not is_url(url):
            return failure(f"Invalid post URL '{url}'")
        if resource not in RESOURCES:
            return failure("Unable to subscribe to ''.")
        with self._store.writing() as db:
            its_id = subscribe(db, resource, url)
        return success(resource_subscription={"id": its_id, "resource_name": resource, "post_url": url})

    def listeners(self) -> Answer:
        resource = flask.request.args.get("resource_name", "")
        if resource not in RESOURCES:
            return failure("Valid resource_name parameter required")
        with self._store.reading() as db:
            rows = db.execute(
                "select * from listeners where resource_name = ? order by rowid",
                [resource],
            ).fetchall()
        return success(resource_subscriptions=[dict(row) for row in rows])

    def unlisten(self, id: str) -> Answer:
        with self._store.writing() as db:
            gone = db.execute("delete from listeners where id = ?", [id]).rowcount
        if not gone:
            return failure("The resource_subscription was not found.")
        return success(message="The resource_subscription was deleted successfully.")


def success(**told: Any) -> Answer:
    return flask.jsonify({"success": True, **told})


def failure(message: str) -> Answer:
    """A refusal, with the status that the vendor gives it."""
    return flask.jsonify({"success": False, "message": message})


def refuse_parameter(problem: lists.BadParameter) -> Answer:
    return flask.jsonify({"status": 400, "error": str(problem)}), 400


def is_url(text: str) -> bool:
    """The vendor also refuses addresses of the own machine, which here are the only ones."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def api(shop: Shop, faults: Faults, token: str) -> flask.Blueprint:
    """The blueprint to stand below /v2."""
    doors, view = flask.Blueprint("api", __name__), Api(shop, faults, token)
    doors.before_request(view.before)
    doors.after_request(view.trouble.after)
    doors.register_error_handler(lists.BadParameter, refuse_parameter)
    for method, rule, function in _routes(view):
        doors.add_url_rule(rule, f"{method}_{function.__name__}", function, methods=[method])
    return doors


def _routes(view: Api) -> list[tuple[str, str, Callable[..., Answer]]]:
    return [
        ("GET", "/user", view.user),
        ("GET", "/sales", view.sales),
        ("GET", "/sales/<id>", view.sale),
        ("PUT", "/sales/<id>/refund", view.refund),
        ("GET", "/products/<product>/subscribers", view.subscribers),
        ("GET", "/subscribers/<id>", view.subscriber),
        ("PUT", "/resource_subscriptions", view.listen),
        ("GET", "/resource_subscriptions", view.listeners),
        ("DELETE", "/resource_subscriptions/<id>", view.unlisten),
    ]
