"""The S3 server that clients see: it checks who asks, lets go wrong what shall, and hands the rest on to rclone.

Bodies are handed on as they come, a piece at a time. The last piece is held back until the hash of all is known: where it is a
wrong one the connection to rclone ends instead, and the object stays as it was. Requests are signed anew for rclone, because it
takes the payload of every presigned URL for unknown, other than Ceph does, and because clients sign the name by which they know us.
"""

from __future__ import annotations

import dataclasses
import datetime
import http.client
import http.server
import pathlib
import secrets
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

from sandbox.storage import sigv4
from sandbox.storage.bodies import Body, Ended, move_out
from sandbox.storage.calls import Call, Calls
from sandbox.storage.errors import S3Error
from sandbox.storage.multipart import Multipart, Said, is_one
from sandbox.storage.objects import Objects
from sandbox.storage.rclone import Rclone, RcloneError
from sandbox.storage.sigv4 import Asked
from sandbox.storage.state import Fault, State
from sandbox.storage.uploads import Uploads

IDLE = 300  # seconds that a connection may wait for its next request
NOD = 0.05  # seconds until it sees that it shall end
MOST_DRAINED = 256 * 1024 * 1024
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
NOT_FORWARDED = HOP | {"host", "authorization", "x-amz-date", sigv4.HASH_HEADER, "expect", "content-length"}
NOT_BACK = HOP | {"date", "server"}
REFUSALS = {
    "slow_down": ("SlowDown", "Please reduce your request rate.", 503),
    "server_error": ("InternalError", "We encountered an internal error. Please try again.", 500),
    "refuse": ("AccessDenied", "Access Denied", 403),
}
OPERATIONS = {"GET": "get", "PUT": "put", "HEAD": "head", "DELETE": "delete"}


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "MailatSandboxStorage", ""
    timeout = IDLE
    disable_nagle_algorithm = True
    server: S3Server

    def _serve(self) -> None:
        self._number = secrets.token_hex(8)
        self._body = Body(self.rfile, self.headers.get("content-length", ""))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, path.replace("+", "%20"), sigv4.parse_query(query), headers)
        call = Call(*operation_and_key(asked))
        self.server.calls.begin()
        try:
            self._answer(asked, call)
        except S3Error as error:
            self._refuse(error, call)
        except (Ended, ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            call.bytes_in = self._body.read
            self.server.calls.add(call)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def _answer(self, asked: Asked, call: Call) -> None:
        state, now = self.server.state, datetime.datetime.now(datetime.UTC)
        claim = sigv4.check(asked, self.server.secrets, now, all_signed=state.checks("headers"))
        call.by = "header" if claim.expires is None else "url"
        faults = state.take(call.operation, call.key)
        self._go_wrong(faults)
        self._check(asked)
        if is_one(asked):
            return self._answer_upload(asked, call, faults)
        response = self._forwarded(asked, faults)
        try:
            if "lose_answer" in faults:
                raise Ended
            self._hand_back(response, call, faults, wished_headers(asked))
        finally:
            response.close()

    def _answer_upload(self, asked: Asked, call: Call, faults: Mapping[str, Fault]) -> None:
        """What rclone would hold in its memory is ours."""

        def receive(file: BinaryIO) -> None:
            if self._body.length:
                self._body.move_in(_File(file), self._expected(asked), faults)
            elif expected := self._expected(asked):
                self._body.check(expected)

        said = Multipart(self.server.uploads, asked, receive).answer()
        if "lose_answer" in faults:
            raise Ended
        self._say(said, call)

    def _say(self, said: Said, call: Call) -> None:
        call.status = said.status
        self.send_response(said.status)
        for name, value in {**said.headers, "x-amz-request-id": self._number}.items():
            self.send_header(name, value)
        if said.status != 204:
            self.send_header("content-length", str(len(said.content)))
        self.end_headers()
        self.wfile.write(said.content)
        call.bytes_out = len(said.content)

    def _go_wrong(self, faults: Mapping[str, Fault]) -> None:
        if "slow" in faults:
            time.sleep(faults["slow"].number)
        if "away" in faults:
            raise Ended
        for kind, words in REFUSALS.items():
            if kind in faults:
                raise S3Error(*words)

    def _check(self, asked: Asked) -> None:
        """What S3 wants beyond a signature."""
        if asked.method in ("PUT", "POST") and self._body.length is None:
            raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        if asked.method == "POST" and ("delete", "") in asked.query and not self.server.state.checks("many"):
            raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5", 400)
        if "x-amz-copy-source" in asked.headers and self._body.length and asked.payload != sigv4.UNSIGNED:
            says = "A copy has no body: as at Ceph, its hash cannot be known"
            raise S3Error("NotImplemented", says, 501)

    def _forwarded(self, asked: Asked, faults: Mapping[str, Fault]) -> http.client.HTTPResponse:
        try:
            connection = self.server.rclone.connect()
            self._send_head(connection, asked)
        except (RcloneError, OSError) as problem:
            raise S3Error("ServiceUnavailable", str(problem), 503) from None
        try:
            if self._body.length:
                self._body.move_in(connection, self._expected(asked), faults)
            return connection.getresponse()
        except (Ended, S3Error):
            connection.close()
            raise
        except (OSError, http.client.HTTPException):
            connection.close()
            raise S3Error("InternalError", "The storage behind this one broke off", 500) from None

    def _expected(self, asked: Asked) -> str:
        """The hash that the body must have; empty where nobody says or nobody checks."""
        known = asked.payload != sigv4.UNSIGNED and not asked.payload.startswith("STREAMING-")
        return asked.payload if known and self.server.state.checks("hash") else ""

    def _send_head(self, connection: http.client.HTTPConnection, asked: Asked) -> None:
        if self._body.length == 0 and (expected := self._expected(asked)):
            self._body.check(expected)
        headers = {name: value for name, value in asked.headers.items() if name not in NOT_FORWARDED}
        chunked = asked.payload.startswith("STREAMING-")
        headers |= {"host": "storage", sigv4.HASH_HEADER: asked.payload if chunked else sigv4.UNSIGNED}
        if self._body.length is not None:
            headers["content-length"] = str(self._body.length)
        left_out = SIGNATURE | WISHED.keys()
        query = [pair for pair in asked.query if pair[0].lower() not in left_out]
        path = quote(unquote(asked.path), safe="/~")
        inner, rclone = Asked(asked.method, path, query, headers), self.server.rclone
        headers |= sigv4.sign(inner, rclone.key, rclone.secret, datetime.datetime.now(datetime.UTC))
        target = f"{path}?{sigv4.canonical_query(query)}" if query else path
        connection.putrequest(asked.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()

    def _hand_back(
        self,
        response: http.client.HTTPResponse,
        call: Call,
        faults: Mapping[str, Fault],
        wished: Mapping[str, str],
    ) -> None:
        part = response.status == 200 and response.getheader("content-range")  # rclone has one word for both
        call.status = 206 if part else response.status
        self.send_response(call.status)
        wished = wished if call.status in (200, 206) else {}
        for name, value in response.getheaders():
            if name.lower() not in {*NOT_BACK, "x-amz-request-id", *wished}:
                self.send_header(name, value)
        for name, value in wished.items():
            self.send_header(name, value)
        self.send_header("x-amz-request-id", self._number)
        empty = self.command == "HEAD" or response.status in (204, 304)
        chunked = not empty and response.getheader("content-length") is None
        if chunked:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if not empty:
            move_out(response, self.wfile, call, faults, chunked=chunked)

    def _refuse(self, error: S3Error, call: Call) -> None:
        """Also reads what the client still sends: one that writes into a closed connection does not see the answer."""
        content = error.xml(self.path.partition("?")[0], self._number)
        call.status = error.status
        try:
            self.send_response(error.status)
            for name, value in (
                ("content-type", "application/xml"),
                ("content-length", str(len(content))),
                ("x-amz-request-id", self._number),
            ):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            self.close_connection = not self._body.drain(MOST_DRAINED) or self.close_connection
        except (Ended, OSError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: signed URLs are in the lines."""


SIGNATURE = {
    f"x-amz-{word}" for word in ("algorithm", "credential", "date", "expires", "signedheaders", "signature")
}


# A signed GET may say with which headers it wants its answer: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
TOLD = ("disposition", "type", "encoding", "language")  # after content-
WISHED = {
    f"response-{name}": name for name in ("cache-control", "expires", *(f"content-{word}" for word in TOLD))
}


def wished_headers(asked: Asked) -> dict[str, str]:
    """Never with a line's end in it."""
    found = {WISHED[name]: value for name, value in asked.query if name in WISHED and asked.method == "GET"}
    return {name: value for name, value in found.items() if value.isprintable()}


@dataclasses.dataclass(frozen=True)
class _File:
    """A file as what bytes are sent to."""

    file: BinaryIO

    def send(self, piece: bytes) -> None:
        self.file.write(piece)


def operation_and_key(asked: Asked) -> tuple[str, str]:
    """What kind of request it is, as faults know it, and for which object."""
    _, _, key = unquote(asked.path).lstrip("/").partition("/")
    if key:
        return OPERATIONS.get(asked.method, "other"), key
    if asked.method == "POST" and ("delete", "") in asked.query:
        return "delete", ""
    return ("list" if asked.method == "GET" else "other"), ""


@dataclasses.dataclass(frozen=True)
class Keys:
    """The one key pair of the project: it opens every bucket."""

    access_key: str
    secret_key: str = dataclasses.field(repr=False)


class S3Server(http.server.ThreadingHTTPServer):
    """Listens on this computer alone, from its making on until it is closed."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, home: pathlib.Path, keys: Keys, port: int = 0) -> None:
        self.state, self.calls, self.rclone = State(home), Calls(), Rclone(home)
        self.objects, self.uploads = Objects(self.rclone), Uploads(home, self.rclone)
        self.secrets = {keys.access_key: keys.secret_key}
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=[NOD], name="storage", daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of ours; a fault of our own is said."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.rclone.close()
