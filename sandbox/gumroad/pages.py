"""The pages: checkout, the buyer's own page, the seller's dashboard."""

from __future__ import annotations

from typing import Any

import flask

from sandbox.gumroad import faults as kinds
from sandbox.gumroad import sights
from sandbox.gumroad.changes import seats
from sandbox.gumroad.errors import Missing, Refusal, Wrong
from sandbox.gumroad.faults import Faults
from sandbox.gumroad.life import find
from sandbox.gumroad.orders import Order
from sandbox.gumroad.pings import (
    QUICK_TIMING,
    RESOURCES,
    VENDORS_TIMING,
    clear_faults,
    has_endpoint,
    kinds_asked_for,
)
from sandbox.gumroad.product import MONTHS, TIMES_THE_MONTH
from sandbox.gumroad.shop import Shop
from sandbox.gumroad.store import chosen
from sandbox.hetzner.control import refuse_strangers

Answer = flask.typing.ResponseReturnValue
PROBLEMS = (Wrong, Refusal)
# The checkout's own words in a link; everything else comes back as url_params.
RESERVED = {"code", "wanted", "referrer", "email", "as_modal", "as_embed", "debug", "affiliate_id"}
BUYERS_ACTS = ("cancel", "restart", "change", "add_card")
FIELDS = ("email", "name", "tier", "recurrence", "quantity", "offer_code", "giftee_email")


class Pages:
    """HTML for buyer and seller; every form answers with a page or a redirect to one."""

    def __init__(self, shop: Shop, faults: Faults, control_url: str) -> None:
        self._shop, self._store, self._faults = shop, shop.store, faults
        self._product, self._control = shop.product, control_url

    def checkout(self, permalink: str, code: str = "") -> Answer:
        self._check(permalink)
        asked = flask.request.args
        chosen = {
            "email": asked.get("email", ""),
            "name": "",
            "tier": self._tier(asked.get("variant", "")),
            "recurrence": next((one for one in MONTHS if asked.get(one) == "true"), "monthly"),
            "quantity": asked.get("quantity", "1"),
            "offer_code": code,
            "giftee_email": "",
        }
        return self._show_checkout(chosen)

    def _check(self, permalink: str) -> None:
        if permalink != self._product.permalink:
            flask.abort(404)

    def _tier(self, wanted: str) -> str:
        """The tier that the link names, in whatever case, or the first one."""
        same = (tier for tier in self._product.tiers if tier.lower() == wanted.strip().lower())
        return next(same, next(iter(self._product.tiers)))

    def _show_checkout(self, chosen: dict[str, str], error: str = "") -> str:
        return flask.render_template(
            "gumroad/checkout.html",
            product=self._product,
            chosen=chosen,
            error=error,
            times=TIMES_THE_MONTH,
        )

    def pay(self, permalink: str, code: str = "") -> Answer:
        self._check(permalink)
        form = flask.request.form
        chosen = {name: form.get(name, "") for name in FIELDS}
        try:
            bought = self._shop.buy(_order(chosen))
        except PROBLEMS as problem:
            return self._show_checkout(chosen, str(problem)), 422
        return flask.redirect(
            flask.url_for("gumroad.pages.thanks", subscription_id=bought.subscription_id), 303
        )

    def thanks(self, subscription_id: str) -> str:
        return flask.render_template(
            "gumroad/thanks.html",
            product=self._product,
            row=self._subscription(subscription_id),
            control=self._control,
        )

    def _subscription(self, its_id: str) -> dict[str, Any]:
        try:
            with self._store.reading() as db:
                return sights.subscription(db, find(db, its_id))
        except Missing:
            flask.abort(404)

    def manage(self, subscription_id: str, says: list[str] | None = None, error: str = "") -> str:
        return flask.render_template(
            "gumroad/manage.html",
            product=self._product,
            row=self._subscription(subscription_id),
            recurrences=MONTHS,
            control=self._control,
            says=says,
            error=error,
        )

    def decide(self, subscription_id: str) -> Answer:
        """What the buyer does with the own subscription."""
        what, how = flask.request.form.get("act", ""), flask.request.form
        if what not in BUYERS_ACTS:
            return self.manage(subscription_id, error="There is no such button."), 422
        try:
            wish = (
                {name: how.get(name) for name in ("tier", "recurrence", "quantity")}
                if what == "change"
                else {}
            )
            return self.manage(subscription_id, self._shop.act(subscription_id, what, **wish))
        except Missing:
            flask.abort(404)
        except PROBLEMS as problem:
            return self.manage(subscription_id, error=str(problem)), 409

    def seller(self, says: list[str] | None = None, error: str = "") -> str:
        with self._store.reading() as db:
            rows, log = sights.subscriptions(db), sights.log_of_pings(db, 50)
            has_own, asked_for, is_revoked = (
                has_endpoint(db),
                kinds_asked_for(db),
                bool(chosen(db, "revoked")),
            )
        return flask.render_template(
            "gumroad/seller.html",
            product=self._product,
            rows=rows,
            pings=log,
            has_endpoint=has_own,
            asked_for=asked_for,
            all_kinds=len(RESOURCES),
            is_revoked=is_revoked,
            faults=self._faults.all(),
            kinds=kinds.KINDS,
            says=says,
            error=error,
        )

    def press(self) -> Answer:
        """A button of the seller's page."""
        form = flask.request.form.to_dict()
        try:
            return self.seller(self._pressed(form.pop("act", ""), form))
        except (Missing, *PROBLEMS) as problem:
            return self.seller(error=str(problem.args[0])), 409

    def _pressed(self, what: str, form: dict[str, str]) -> list[str]:
        match what:
            case "test-ping":
                return self._shop.send_test()
            case "slow-pings" | "quick-pings":
                return self._shop.set_timing(*(VENDORS_TIMING if what == "slow-pings" else QUICK_TIMING))
            case "revoke" | "unrevoke":
                return self._shop.set_revoked(what == "revoke")
            case "endpoint-on" | "endpoint-off":
                return self._shop.set_endpoint(what == "endpoint-on")
            case "resend":
                return self._shop.resend(form.get("sale_id", ""))
            case "fault":
                fault = self._faults.add(kinds.read({name: value for name, value in form.items() if value}))
                return [f"Set: {kinds.KINDS[fault.kind]}."]
            case "clear-faults":
                with self._store.writing() as db:
                    clear_faults(db)
                return ["Nothing goes wrong any more, and what was held back is sent."]
        if what in ("seller-cancel", "admin-cancel"):
            what, form["by"] = "cancel", what.removesuffix("-cancel")
        return self._shop.act(form.pop("subscription", ""), what, **form)


def _order(chosen: dict[str, str]) -> Order:
    """Raises Wrong."""
    return Order(
        chosen["email"],
        chosen["tier"],
        chosen["recurrence"] or "monthly",
        chosen["name"],
        _url_params(),
        quantity=seats(chosen["quantity"] or 1),
        offer_code=chosen["offer_code"].strip(),
        giftee_email=chosen["giftee_email"],
    )


def _url_params() -> dict[str, str]:
    """As they stand in the link; the form posts to the address that it was shown at."""
    return {name: value for name, value in flask.request.args.items() if name not in RESERVED}


def pages(shop: Shop, faults: Faults, control_url: str) -> flask.Blueprint:
    """The blueprint to stand beside the API."""
    doors, view = flask.Blueprint("pages", __name__), Pages(shop, faults, control_url)
    doors.before_request(refuse_strangers)
    doors.add_app_template_filter(sights.day_and_time)
    for rule in ("/l/<permalink>", "/l/<permalink>/<code>"):
        doors.add_url_rule(rule, view_func=view.checkout)
        doors.add_url_rule(rule, view_func=view.pay, methods=["POST"])
    doors.add_url_rule("/thanks/<subscription_id>", view_func=view.thanks)
    doors.add_url_rule("/subscriptions/<subscription_id>/manage", view_func=view.manage)
    doors.add_url_rule("/subscriptions/<subscription_id>/manage", view_func=view.decide, methods=["POST"])
    doors.add_url_rule("/seller", view_func=view.seller)
    doors.add_url_rule("/seller", view_func=view.press, methods=["POST"])
    return doors
