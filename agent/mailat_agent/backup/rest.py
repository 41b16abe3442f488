"""restic's REST protocol, version 2, on loopback: bytes go between restic and the storage, addresses come from the gate.

https://restic.readthedocs.io/en/stable/REST_backend.html. Who tries again: restic, with growing pauses, for a quarter of an
hour; here nothing is sent twice, since what restic streams is held nowhere. 503 says that trying again may help; 403 that
it does not, which restic 0.17 and later believe.
"""

import contextlib
import hmac
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from . import passing
from .gate import Closed, Gate, Later, Name
from .passing import Passing
from .wire import Cut

V2 = "application/vnd.x.restic.rest.v2"
KINDS = ("keys", "locks", "snapshots", "index", "data")
CONFIG = Name("config", "")
_NAME = re.compile(r"[0-9a-f]{64}")
LONGEST_LINE = 100  # bytes
_RANGE = re.compile(r"bytes=\d{1,19}-\d{0,19}")


class Rest:
    """One repository's door, from `start` to `stop`; `refused` counts, by the gate's word, what it did not allow."""

    def __init__(self, gate: Gate, passing: Passing) -> None:
        self.gate, self.passing = gate, passing
        self.secret = secrets.token_urlsafe(32)
        self.refused: dict[str, int] = {}
        self.closed = ""  # why the gate lets nothing through any more
        self._lock = threading.Lock()
        self._door = _Door(("127.0.0.1", 0), Handler)
        self._door.rest = self

    @property
    def url(self) -> str:
        """The repository as restic is told it; who knows it may do what restic may."""
        return f"rest:http://127.0.0.1:{self._door.server_port}/{self.secret}/"

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._door.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._door.shutdown()
        self._door.server_close()

    def note(self, word: str) -> None:
        """Something was refused."""
        with self._lock:
            self.refused[word] = self.refused.get(word, 0) + 1


class _Door(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    rest: Rest

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A restic that was killed is no news."""


class Handler(BaseHTTPRequestHandler):
    """One of restic's connections."""

    protocol_version = "HTTP/1.1"
    timeout = 900.0  # seconds; restic keeps connections open between its requests
    disable_nagle_algorithm = True
    server: _Door

    def do_HEAD(self) -> None:
        self._serve(self._head)

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def _serve(self, work: Any) -> None:
        self.begun = False
        self.body = passing.Body(self.rfile, self._length())
        try:
            status = work(self._path())
        except passing.NotThere:
            status = 404
        except Closed as why:
            self.server.rest.closed = str(why)
            status = 403
        except (Later, Cut):
            status = 503
        if not self.begun and status is not None:
            self._answer(status)
        elif status not in (200, 206):
            self.close_connection = True  # in the middle of an answer nothing else tells that it is not whole

    def _head(self, name: Name | str) -> int | None:
        if isinstance(name, str):
            return 404
        self._begin(200, {"Content-Length": str(self.server.rest.passing.size(name))})
        return 200

    def _get(self, name: Name | str) -> int | None:
        if isinstance(name, str):
            return self._list(name) if name in KINDS else 404
        wanted = self.headers.get("Range", "")
        if wanted and not _RANGE.fullmatch(wanted):
            return 416
        with self.server.rest.passing.reading(name, wanted) as source:
            if source.status not in (200, 206):
                return source.status
            self._begin(source.status, source.headers)
            for piece in source:
                self.wfile.write(piece)
        return source.status if source.whole else None

    def _list(self, kind: str) -> int | None:
        pages = self.server.rest.passing.listed(kind)
        first = next(pages, "")  # an error until here is an answer, later a connection that is cut
        self._begin(200, {"Content-Type": V2, "Transfer-Encoding": "chunked"})
        try:
            self._chunk(f"[{first}")
            for text in pages:
                self._chunk(f",{text}")
        except (Later, Closed):
            return None
        self._chunk("]")
        self.wfile.write(b"0\r\n\r\n")
        return 200

    def _chunk(self, text: str) -> None:
        if text:
            self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode("ascii"))

    def _post(self, name: Name | str) -> int:
        if name == "":
            self._read_chunks()
            return 200 if urlsplit(self.path).query == "create=true" else 400
        if isinstance(name, str):
            return 404
        if self.body.left <= 0:
            return 411
        refused = self.server.rest.passing.take(name, self.body)
        if refused:
            self.server.rest.note(refused)
        return 403 if refused else 200

    def _read_chunks(self) -> None:
        """A body without a length, as restic's wish for a repository has; unread it would be taken for the next request."""
        if self.headers.get("Transfer-Encoding"):
            line = self.rfile.readline(LONGEST_LINE)
            self.close_connection = line.strip() != b"0" or bool(self.rfile.readline(LONGEST_LINE).strip())

    def _delete(self, name: Name | str) -> int:
        if isinstance(name, str):
            return 404
        refused = self.server.rest.passing.remove(name)
        if refused:
            self.server.rest.note(refused)
        return 403 if refused else 200

    def _path(self) -> Name | str:
        """The object that is meant; a kind where a list is; "" for the repository itself; "?" for nothing there is."""
        parts = urlsplit(self.path).path.split("/")[1:]
        if not hmac.compare_digest(parts[0].encode(), self.server.rest.secret.encode()):
            return "?"
        match parts[1:]:
            case [] | [""]:
                return ""
            case ["config"]:
                return CONFIG
            case [kind, ""] if kind in KINDS:
                return kind
            case [kind, name] if kind in KINDS and _NAME.fullmatch(name):
                return Name(kind, name)
        return "?"

    def _length(self) -> int:
        value = self.headers.get("Content-Length", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.begun = True
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()

    def _answer(self, status: int) -> None:
        with contextlib.suppress(Cut):
            for _rest in self.body:  # who is answered before it said all hears a broken connection
                pass
        self._begin(status, {"Content-Length": "0"})

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a path here has the door's secret in it."""
