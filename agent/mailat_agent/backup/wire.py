"""HTTP for threads: connections that are kept between calls, and bodies that are streamed, never held."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

QUIET_SECONDS = 60.0  # no single wait for the network is longer
CHUNK = 256 * 1024  # bytes in memory of whatever passes
AGAIN = (ConnectionError,)
KEPT = 8  # idle connections to one place

Place = tuple[str, str, int | None]


class Cut(Exception):
    """The other side could not be reached, or went away in the middle; the text repeats nothing of an address."""


class Answer:
    """A response whose body is still to be read; `done` gives the connection back."""

    def __init__(self, wires: "Wires", place: Place, line: HTTPConnection, response: HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self._wires, self._place, self._line, self._response = wires, place, line, response

    def read(self, most: int = CHUNK) -> bytes:
        """The next bytes, none at the end; raises Cut."""
        try:
            return self._response.read(most)
        except (OSError, HTTPException) as error:
            raise Cut(type(error).__name__) from None

    def done(self) -> None:
        """Keep the connection where the body was read to its end, else close it."""
        if self._response.isclosed() and not self._response.will_close:
            self._wires.give_back(self._place, self._line)
        else:
            self._line.close()


class Wires:
    """Connections to whatever addresses are asked for, by many threads; no proxy, no redirect."""

    def __init__(self, quiet: float = QUIET_SECONDS) -> None:
        self.quiet = quiet
        self._idle: dict[Place, list[HTTPConnection]] = {}
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes] | bytes = b""
    ) -> Answer:
        """Send and return the answer's head; a `body` in pieces needs a Content-Length. Raises Cut, or what `body` does.

        A kept connection may be closed just as it is used again: what is held in memory is sent once more by a new one.
        """
        place, path = _split(url)
        pieces = [body] if isinstance(body, bytes) else body
        line = self._kept(place)
        try:
            with contextlib.suppress(*(AGAIN if line and isinstance(body, bytes) else ())):
                return self._asked(line or self._open(place), place, method, path, headers, pieces)
            return self._asked(self._open(place), place, method, path, headers, pieces)
        except (OSError, HTTPException) as error:
            raise Cut(_kind(error)) from None

    def _asked(
        self, line: HTTPConnection, place: Place, method: str, path: str, headers: Mapping[str, str],
        pieces: Iterable[bytes],
    ) -> Answer:  # fmt: skip
        try:
            _send(line, method, path, headers, pieces)
            return Answer(self, place, line, line.getresponse())
        except BaseException:
            line.close()
            raise

    def give_back(self, place: Place, line: HTTPConnection) -> None:
        """Keep a connection whose last answer was read."""
        with self._lock:
            idle = self._idle.setdefault(place, [])
            if len(idle) < KEPT:
                idle.append(line)
                return
        line.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            lines = [line for idle in self._idle.values() for line in idle]
            self._idle.clear()
        for line in lines:
            line.close()

    def _kept(self, place: Place) -> HTTPConnection | None:
        """One that was used before, and as far as one can see is still good."""
        while True:
            with self._lock:
                idle = self._idle.get(place)
                line = idle.pop() if idle else None
            if line is None or (line.sock is not None and not _has_news(line.sock)):
                return line
            line.close()

    def _open(self, place: Place) -> HTTPConnection:
        scheme, host, port = place
        if scheme == "http":
            return HTTPConnection(host, port, timeout=self.quiet)
        if self._context is None:
            self._context = ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=self.quiet, context=self._context)


def _split(url: str) -> tuple[Place, str]:
    parts: SplitResult = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Cut("no address")
    path = parts.path or "/"
    return (parts.scheme, parts.hostname, parts.port), f"{path}?{parts.query}" if parts.query else path


def _send(
    line: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: Iterable[bytes]
) -> None:
    line.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    for piece in body:
        if piece:
            line.send(piece)


def _has_news(sock: socket.socket) -> bool:
    # What is idle has nothing to say but that it was closed.
    return bool(select.select([sock], [], [], 0)[0])


def _kind(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message}"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
