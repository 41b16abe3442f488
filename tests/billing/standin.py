"""The sandbox's Gumroad, of which a test asks who is told of what; at first it tells nobody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask
from django.conf import settings
from werkzeug.serving import make_server

from sandbox.gumroad import Gumroad
from sandbox.gumroad.pings import subscribe


class StandIn:
    """A seller's own view."""

    def __init__(self, gumroad: Gumroad, url: str) -> None:
        self._store, self.url = gumroad.shop.store, url

    def listeners(self) -> list[tuple[str, str]]:
        with self._store.reading() as db:
            rows = db.execute("select resource_name, post_url from listeners").fetchall()
        return [(row["resource_name"], row["post_url"]) for row in rows]

    def ask(self, kind: str, url: str) -> None:
        with self._store.writing() as db:
            subscribe(db, kind, url)

    def forget(self, kind: str) -> None:
        with self._store.writing() as db:
            db.execute("delete from listeners where resource_name = ?", [kind])


@contextmanager
def standing_in(home: Path) -> Iterator[StandIn]:
    gumroad = Gumroad(
        home, token=settings.GUMROAD_TOKEN, ping_url="", control_url="", seller_id=settings.GUMROAD_SELLER_ID,
        product_id=settings.GUMROAD_PRODUCT_ID,
    )  # fmt: skip
    app = flask.Flask("standin")
    app.register_blueprint(gumroad.blueprint, url_prefix="/gumroad")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield StandIn(gumroad, f"http://127.0.0.1:{server.port}/gumroad/v2")
    finally:
        server.shutdown()
        gumroad.close()
