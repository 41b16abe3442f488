"""A caching proxy for the hosts' apt: the one way by which anything from beyond this computer reaches them.

Files that never change under their name are kept for good; of others the mirror is asked whether they changed, and what
was kept is given when the mirror cannot be reached. One download serves all who wait for the same file.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import email.utils
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import urllib.error
import urllib.request
from typing import Any, BinaryIO

from sandbox.internet import mirrors

PORT = 3142
CHUNK = 1 << 18
TIMEOUT = 60  # seconds without a byte from the mirror


def cache(home: pathlib.Path) -> pathlib.Path:
    """Where packages are kept: MAILAT_CACHE, which several sandboxes may share, else below home."""
    return pathlib.Path(os.environ.get("MAILAT_CACHE") or home / "cache") / "apt"


@dataclasses.dataclass(frozen=True)
class Kept:
    """A file in the cache, and what the mirror said of it."""

    path: pathlib.Path

    @classmethod
    def of(cls, place: pathlib.Path, address: str) -> Kept:
        name = hashlib.sha256(address.encode()).hexdigest()[:32]
        return cls(place / name[:2] / name)

    @property
    def told(self) -> pathlib.Path:
        return self.path.with_suffix(".json")

    def modified(self) -> str:
        """As the mirror wrote it; empty where it is not known."""
        try:
            return str(json.loads(self.told.read_text())["modified"]) if self.path.exists() else ""
        except (OSError, ValueError, KeyError):
            return ""

    def put(self, unfinished: pathlib.Path, modified: str) -> None:
        self.told.unlink(missing_ok=True)
        os.replace(unfinished, self.path)
        note = unfinished.with_suffix(".note")
        note.write_text(json.dumps({"modified": modified}))
        os.replace(note, self.told)


class AptProxy:
    """Listens on a socket that was made in the hosts' network; fetches from where this process is."""

    def __init__(
        self, listener: socket.socket, place: pathlib.Path, allowed: dict[str, str] | None = None
    ) -> None:
        self.place, self._allowed = place, allowed
        self._guard = threading.Lock()
        self._locks: dict[pathlib.Path, threading.Lock] = collections.defaultdict(threading.Lock)
        self._server = _Server(listener, self)
        threading.Thread(target=self._server.serve_forever, args=[0.1], name="apt-proxy", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def address_of(self, asked: str) -> str:
        """Where the file is to be had, or nothing if it is on no mirror of ours."""
        with self._guard:
            if self._allowed is None:
                self._allowed = mirrors.prefixes()
        parts = asked.split("/")
        if ".." in parts or "?" in asked or "#" in asked:
            return ""
        fitting = (prefix for prefix in self._allowed if asked.startswith(prefix))
        prefix = max(fitting, key=len, default="")
        return self._allowed[prefix].rstrip("/") + "/" + asked.removeprefix(prefix) if prefix else ""

    @contextlib.contextmanager
    def alone(self, kept: Kept) -> Any:
        with self._guard:
            lock = self._locks[kept.path]
        with lock:
            yield


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, proxy: AptProxy) -> None:
        super().__init__(listener.getsockname(), _Door, bind_and_activate=False)
        self.socket.close()
        self.socket, self.proxy = listener, proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        proxy = self.server.proxy
        address = proxy.address_of(self.path)
        if not address:
            self.send_error(403, "Only the package mirrors of this computer can be reached")
            return
        kept = Kept.of(proxy.place, address)
        with proxy.alone(kept):
            settled = kept.path.exists() and _never_changes(address)
            fetched = not settled and self._fetch(address, kept)
        if not fetched:
            self._give(kept)

    def _fetch(self, address: str, kept: Kept) -> bool:
        """Whether an answer was given; if not, what is kept is to be given."""
        request = urllib.request.Request(address)  # noqa: S310 - only mirrors, see address_of
        if modified := kept.modified():
            request.add_header("If-Modified-Since", modified)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as source:  # noqa: S310
                return self._pass_on(source, kept)
        except urllib.error.HTTPError as problem:
            if problem.code == 304:
                return False
            self.send_error(problem.code)
            return True
        except OSError as problem:
            if kept.path.exists():
                return False
            self.send_error(502, f"The mirror cannot be reached: {problem}")
            return True

    def _pass_on(self, source: http.client.HTTPResponse, kept: Kept) -> bool:
        """To the client and into the cache at once; the cache gets it also if the client goes away."""
        size, modified = source.headers.get("Content-Length", ""), source.headers.get("Last-Modified", "")
        kept.path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=kept.path.parent, prefix=".new-")
        unfinished = pathlib.Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                streaming = bool(size) and self._begin(int(size), modified)
                whole = self._copy(source, file, streaming)
            if size and whole != int(size):
                self.close_connection = True
                return True
            kept.put(unfinished, modified)
            return streaming
        finally:
            unfinished.unlink(missing_ok=True)

    def _copy(self, source: http.client.HTTPResponse, file: BinaryIO, streaming: bool) -> int:
        copied = 0
        try:
            while data := source.read(CHUNK):
                file.write(data)
                copied += len(data)
                streaming = streaming and self._send(data)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return -1
        return copied

    def _send(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True
            return False
        return True

    def _begin(self, size: int, modified: str) -> bool:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        if modified:
            self.send_header("Last-Modified", modified)
        try:
            self.end_headers()
        except OSError:
            self.close_connection = True
            return False
        return True

    def _give(self, kept: Kept) -> None:
        modified = kept.modified()
        if modified and _not_newer(modified, self.headers.get("If-Modified-Since", "")):
            self.send_response(304)
            self.end_headers()
            return
        with kept.path.open("rb") as file:
            if self._begin(os.fstat(file.fileno()).st_size, modified):
                shutil.copyfileobj(file, self.wfile, CHUNK)

    def log_message(self, format: str, *args: Any) -> None:
        """apt says itself what it could not get."""


def _never_changes(address: str) -> bool:
    return address.endswith(".deb") or "/by-hash/" in address


def _not_newer(modified: str, than: str) -> bool:
    try:
        return email.utils.parsedate_to_datetime(modified) <= email.utils.parsedate_to_datetime(than)
    except (TypeError, ValueError):
        return False
