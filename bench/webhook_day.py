"""The stand-in's shop with subscriptions in it, and a reconciliation with it in a process of its own."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import say

RECONCILE = "from bench.webhook_day import reconcile; reconcile()"


@contextmanager
def shop(subscriptions: int) -> Iterator[str]:
    """The address of an API that knows so many subscriptions; it tells nobody of them by itself."""
    import flask
    from werkzeug.serving import make_server

    from sandbox.gumroad import Gumroad

    with tempfile.TemporaryDirectory() as home:
        store = Gumroad(
            Path(home), token=os.environ["GUMROAD_TOKEN"], ping_url="", control_url="",
            seller_id=os.environ["GUMROAD_SELLER_ID"], product_id=os.environ["GUMROAD_PRODUCT_ID"],
        )  # fmt: skip
        fill(store, subscriptions)
        app = flask.Flask("shop")
        app.register_blueprint(store.blueprint, url_prefix="/gumroad")
        server = make_server("127.0.0.1", 0, app, threaded=True)
        server.log_startup = lambda: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.port}/gumroad/v2"
        finally:
            server.shutdown()
            store.close()


def fill(store: object, subscriptions: int) -> None:
    import logging

    from sandbox.gumroad.orders import Order

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for number in range(subscriptions):
        store.shop.buy(Order(f"customer{number}@example.test", "Basic"))  # type: ignore[attr-defined]


@contextmanager
def reconciling(api_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that works this one run and nothing else."""
    env = {**os.environ, "GUMROAD_API_URL": api_url}
    running = subprocess.Popen([sys.executable, "-c", RECONCILE], env=env, stdout=sys.stderr)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


def reconcile() -> None:
    """Takes step after step of the reconciliation until it is done, as a worker does."""
    import django

    django.setup()

    from billing.models import Subscription
    from billing.reconcile import SUBJECT, Reconcile
    from engine import actions, lease, worker
    from engine.models import Run

    run_id = actions.start(Reconcile, subject=SUBJECT)
    while not Run.objects.get(pk=run_id).finished_at:
        for taken in lease.take(run_id=run_id):
            worker.walk(taken, until=float("inf"))
    say(f"  {Run.objects.get(pk=run_id).outcome}; {Subscription.objects.count()} subscriptions are known")
