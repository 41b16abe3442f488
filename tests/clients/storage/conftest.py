"""One stand-in for all tests of a file; each test has a bucket of its own."""

import http.server
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clients.object_storage import Storage
from tests.sandbox.storage.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home: pathlib.Path = tmp_path_factory.mktemp("storage")
    made = Place(home)
    yield made
    made.server.close()


@pytest.fixture
def storage(place: Place) -> Iterator[Storage]:
    yield place.storage()
    place.reset()


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """Something that gives one answer to whatever it is asked; its address. `number`: as a storage numbers them."""
    made: list[http.server.ThreadingHTTPServer] = []

    def answer(status: int, body: bytes, *, number: bool = True, more: dict[str, str] | None = None) -> str:
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0),
            _same(status, body, {**({"x-amz-request-id": "1"} if number else {}), **(more or {})}),
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield answer
    for server in made:
        server.shutdown()
        server.server_close()


def _same(status: int, body: bytes, headers: dict[str, str]) -> type[http.server.BaseHTTPRequestHandler]:
    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, *words: Any) -> None:
            """Silent."""

    return Same
