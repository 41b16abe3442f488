"""The store on loopback, somebody who is told of what happens there, and patience without guesses."""

import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import flask
import pytest
from werkzeug.serving import make_server

import sandbox
from clients.gumroad import Gumroad as Client
from sandbox.gumroad import Gumroad
from sandbox.gumroad.pings import RESOURCES, subscribe

TOKEN = "token-of-the-seller"
SELLER, PRODUCT = "seller-of-mailat==", "product-mailat=="


class Receiver:
    """Takes pings and answers with the statuses that a test lays out, then with 200."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.location = ""
        self.says = "said"
        self.hangs = threading.Event()
        self.hangs.set()

    @property
    def pings(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(body.decode(), keep_blank_values=True)) for body in list(self.bodies)]

    def kinds(self) -> list[str]:
        return [ping.get("resource_name", "") for ping in self.pings]

    def wait(self, count: int) -> list[dict[str, str]]:
        eventually(lambda: len(self.bodies) >= count, lambda: f"{count} pings, but {self.kinds()}")
        return self.pings


def eventually(there: Callable[[], Any], what: Callable[[], str] = lambda: "it") -> None:
    """Waits until it is so; the end of patience only ends a failing test."""
    until = time.monotonic() + 60
    while not there():
        assert time.monotonic() < until, f"waited for {what()}"
        time.sleep(0.005)


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.paths.append(self.path)
            receiver.headers.append(dict(self.headers))
            receiver.bodies.append(body)
            receiver.hangs.wait(5)
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            if receiver.location:
                self.send_header("Location", receiver.location)
            says = receiver.says.format(path=self.path).encode()
            self.send_header("Content-Length", str(len(says)))
            self.end_headers()
            self.wfile.write(says)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/gumroad/word-that-nobody-may-read"
    finally:
        receiver.hangs.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def ping_url(receiver: Receiver) -> Iterator[str]:
    with listening(receiver) as url:
        yield url


@pytest.fixture
def open_store(tmp_path: pathlib.Path, ping_url: str) -> Iterator[Callable[..., Gumroad]]:
    """Opens the store on the same files each time, as a restart does."""
    opened: list[Gumroad] = []

    def opening(**other: Any) -> Gumroad:
        given = {"sale_delay": 0.0, "event_delay": 0.0, "ping_url": ping_url, **other}
        store = Gumroad(
            tmp_path, token=TOKEN, control_url="http://mailat.test", seller_id=SELLER, product_id=PRODUCT, **given
        )  # fmt: skip
        tell_of_all(store, given["ping_url"], is_first=not opened)
        opened.append(store)
        return store

    yield opening
    for store in opened:
        store.close()


def tell_of_all(store: Gumroad, url: str, *, is_first: bool) -> None:
    """As somebody who has asked the API for each kind of event, once, and has not set up the settings' Ping endpoint."""
    if is_first:
        store.shop.set_endpoint(False)
    with store.shop.store.writing() as db:
        db.execute("delete from listeners")
        for resource in RESOURCES if url else ():
            subscribe(db, resource, url)


@pytest.fixture
def store(open_store: Callable[..., Gumroad]) -> Gumroad:
    return open_store()


class Browser:
    """A person or a test in front of the store."""

    def __init__(self, store: Gumroad) -> None:
        self.app = flask.Flask("sandbox", root_path=str(pathlib.Path(sandbox.__file__).parent))
        self.app.register_blueprint(store.blueprint, url_prefix="/gumroad")
        self.client = self.app.test_client()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(f"/gumroad/sandbox{path}", json=body)
        assert answer.status_code < 400, answer.text
        return answer.get_json()

    def refused(self, path: str, **body: Any) -> tuple[int, str]:
        answer = self.client.post(f"/gumroad/sandbox{path}", json=body)
        return answer.status_code, answer.get_json()["error"]

    def buy(self, email: str = "alice@example.test", tier: str = "Basic", **other: Any) -> Any:
        return self.post("/buy", email=email, tier=tier, **other)

    def act(self, subscription_id: str, what: str, **how: Any) -> Any:
        return self.post(f"/subscriptions/{subscription_id}/{what}", **how)

    def state(self) -> Any:
        return self.client.get("/gumroad/sandbox/state").get_json()

    def state_of_pings(self) -> list[str]:
        return [ping["state"] for ping in reversed(self.state()["pings"])]


@pytest.fixture
def browser(store: Gumroad) -> Browser:
    return Browser(store)


@pytest.fixture
def api_url(browser: Browser) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, browser.app, threaded=True)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/gumroad/v2"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(api_url: str) -> Iterator[Client]:
    with Client(TOKEN, api_url, timeout=(30, 30)) as client:
        yield client
