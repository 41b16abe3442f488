"""A small real HTTP server that answers what a test says, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clients.gumroad import Gumroad

TOKEN = "secret-token-of-the-seller"


@dataclass
class Vendor:
    """`answers` by path with query; each is a status, headers and a body, or the word "hang up"."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, str], bytes] | str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def says(
        self, path: str, answer: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.answers[path] = (status, headers or {}, body)

    def hangs_up(self, path: str) -> None:
        self.answers[path] = "hang up"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    state = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, dict(self.headers)))
            answer = state.answers.get(self.path, (500, {}, b"nothing prepared"))
            if isinstance(answer, str):
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v2"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def gumroad(vendor: Vendor) -> Iterator[Gumroad]:
    with Gumroad(TOKEN, vendor.url) as client:
        yield client
