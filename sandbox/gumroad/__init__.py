"""A stand-in of Gumroad: a checkout, the pages of buyer and seller, the pings, and the API v2."""

from __future__ import annotations

import pathlib

import flask

from sandbox.gumroad import pings
from sandbox.gumroad.api import api
from sandbox.gumroad.delivery import TIMEOUT, Delivery
from sandbox.gumroad.doors import doors
from sandbox.gumroad.faults import Faults
from sandbox.gumroad.pages import pages
from sandbox.gumroad.product import Product
from sandbox.gumroad.shop import Shop
from sandbox.gumroad.store import Store

__all__ = ["Gumroad", "Product"]


class Gumroad:
    """`blueprint` is mounted at /gumroad; delays and time-outs are seconds. `ping_url` is the Ping address of the
    settings, where only sales are told; whoever wants to be told of all else asks the API for it.
    """

    def __init__(
        self,
        home: pathlib.Path,
        *,
        token: str,
        ping_url: str,
        control_url: str,
        seller_id: str,
        product_id: str,
        sale_delay: float = 1.0,
        event_delay: float = 0.5,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        product = Product(seller_id, product_id)
        self._store = Store(home)
        with self._store.writing() as db:
            pings.listen(db, ping_url)
        self.shop = Shop(self._store, product, pings.Queue(sale_delay, event_delay))
        self.blueprint = self._doors(token, control_url)
        self._delivery = Delivery(self.shop, product, timeout)

    def _doors(self, token: str, control_url: str) -> flask.Blueprint:
        faults = Faults(self._store)
        blueprint = flask.Blueprint("gumroad", __name__, template_folder="templates")
        blueprint.register_blueprint(api(self.shop, faults, token), url_prefix="/v2")
        blueprint.register_blueprint(doors(self.shop, faults), url_prefix="/sandbox")
        blueprint.register_blueprint(pages(self.shop, faults, control_url))
        return blueprint

    def age(self, seconds: float) -> list[str]:
        """Makes all that is written down so much older; sentences of what fell due by that."""
        return self.shop.age(seconds)

    def close(self) -> None:
        """What waits to be sent waits for the next start."""
        self._delivery.close()
        self._store.close()
