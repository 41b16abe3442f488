"""A door in front of Amazon's stand-in that a test makes misbehave."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HELD = 60.0  # seconds for which a request is kept waiting at most


class Front:
    """`mode` is "pass", "500" (a page that is none of Amazon's), "close" (no answer), "strange" (one of wrong types) or "hold"."""

    def __init__(self, behind: str) -> None:
        self.behind, self.mode, self.answered = urlsplit(behind), "pass", 0
        self.asked, self.go = threading.Event(), threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}{self.behind.path}"

    def be(self, mode: str) -> None:
        self.mode, self.answered = mode, 0
        self.asked.clear()
        self.go.clear()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                front.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

            def log_message(self, *_: object) -> None:
                """Nothing is told."""

        return Handler

    def answer(self, door: Any) -> None:
        body = door.rfile.read(int(door.headers.get("Content-Length") or 0))
        mode = self.mode
        self.asked.set()
        if mode == "strange" and "/v2/" not in door.path:
            mode = "pass"  # who the key is of is still answered
        if mode == "hold":
            self.go.wait(HELD)
        if mode in ("hold", "close"):
            door.close_connection = True
        elif mode == "pass":
            self._tell(door, *self._ask(door, body))
        else:
            said = b"<h1>broken</h1>" if mode == "500" else b'{"SendQuota": {"Max24HourSend": "many"}}'
            self._tell(door, 500 if mode == "500" else 200, [("x-amzn-RequestId", "1")], said)
        self.answered += 1

    def _ask(self, door: Any, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        there = http.client.HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=HELD)
        there.request(door.command, door.path, body, dict(door.headers))
        answer = there.getresponse()
        said = answer.read()
        there.close()
        skip = ("content-length", "connection", "transfer-encoding", "date", "server")
        return answer.status, [(k, v) for k, v in answer.getheaders() if k.lower() not in skip], said

    def _tell(self, door: Any, status: int, headers: list[tuple[str, str]], said: bytes) -> None:
        door.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(said)))]:
            door.send_header(name, value)
        door.end_headers()
        door.wfile.write(said)


@contextmanager
def front(behind: str) -> Iterator[Front]:
    one = Front(behind)
    threading.Thread(target=one.server.serve_forever, daemon=True).start()
    try:
        yield one
    finally:
        one.go.set()
        one.server.shutdown()
        one.server.server_close()
