"""A control plane in a thread: real sockets and the protocol's own rules, and any fault that a test asks for."""

import hashlib
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent import build
from tests.agent.orders import Signer

PATIENCE = 30.0  # seconds until a test that waits for an agent gives up

Fault = Callable[["Door"], object]


class ControlPlane:
    """What one server's control plane knows, and everything that its agent has ever said to it."""

    def __init__(self) -> None:
        self.heard = threading.Condition()
        self.door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.door.control = self  # type: ignore[attr-defined]
        self.scheme = "http"
        self.patience = PATIENCE
        self.signer = Signer()
        self.reset()
        threading.Thread(target=self.door.serve_forever, args=(0.02,), daemon=True).start()

    def reset(self) -> None:
        """As if nothing had ever been said."""
        self.server = str(uuid.uuid4())
        self.token = "token-" + uuid.uuid4().hex
        self.key: str | None = None
        self.gone = False
        self.poll: object = 1
        self.desired: object = None
        self.desired_version = 0
        self.requests: list[str] = []
        self.enrolments: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []
        self.bearers: list[str] = []
        self.faults: dict[str, deque[Fault]] = {"enrol": deque(), "report": deque()}

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.door.server_port}"

    def want(self, version: int, **changes: object) -> None:
        """Desire this of the server, properly signed."""
        self.desire(self.signer.order(self.server, version, **changes), version)

    def desire(self, desired: object, version: int = 2**60) -> None:
        """Send this until a report says that the version is applied."""
        self.desired, self.desired_version = desired, version

    def fail(self, path: str, *faults: Fault) -> None:
        """Let the next answers to `enrol` or `report` be these."""
        self.faults[path].extend(faults)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until something that an agent says makes the condition true."""
        with self.heard:
            assert self.heard.wait_for(condition, self.patience), "the agent never said what was waited for"

    def wait_for_report(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first report, of those made and to come, that fits."""
        self.wait(lambda: any(map(fits, self.reports)))
        return next(filter(fits, self.reports))

    def close(self) -> None:
        self.door.shutdown()
        self.door.server_close()

    def enrol(self, said: dict[str, Any]) -> tuple[int, dict[str, object]]:
        self.enrolments.append(said)
        if self.gone:
            return 410, {}
        if (
            said["server"] != self.server
            or said["token"] != self.token
            or self.key not in (None, said["key"])
        ):
            return 403, {}
        self.key = str(said["key"])
        return 200, {"poll": self.poll}

    def report(self, said: dict[str, Any], bearer: str) -> tuple[int, dict[str, object]]:
        self.reports.append(said)
        self.bearers.append(bearer)
        server, _, secret = bearer.partition(".")
        if self.gone:
            return 410, {}
        if server != self.server or hashlib.sha256(secret.encode()).hexdigest() != self.key:
            return 401, {}
        due = int(said["applied"]) < self.desired_version
        return 200, {"poll": self.poll, "desired": self.desired if due else None}


class Door(BaseHTTPRequestHandler):
    """One request: the honest answer is worked out first, as if only its way back were disturbed."""

    honest: tuple[int, dict[str, object]]
    authorization: str

    def do_POST(self) -> None:
        control: ControlPlane = self.server.control  # type: ignore[attr-defined]
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.authorization = self.headers.get("Authorization", "")
        path = self.path.removeprefix("/agent/v1/")
        with control.heard:
            control.requests.append(f"{self.command} {self.path}")
            bearer = self.authorization.removeprefix("Bearer ")
            self.honest = control.enrol(said) if path == "enrol" else control.report(said, bearer)
            fault = control.faults[path].popleft() if control.faults[path] else None
        (fault or Door.answer_honestly)(self)
        with control.heard:
            control.heard.notify_all()

    def do_GET(self) -> None:
        self.server.control.requests.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        fetched = self.path == "/agent/v1/agent.pyz"
        self.answer(200 if fetched else 404, build.built()[0] if fetched else b"{}")

    def answer_honestly(self) -> None:
        status, fields = self.honest
        self.answer(status, json.dumps(fields).encode())

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the tests look at what was said, not at a log."""


def status(code: int, body: bytes = b"{}", **headers: str) -> Fault:
    """An answer with this status instead."""
    return lambda door: door.answer(code, body, **headers)


def body(text: bytes) -> Fault:
    """A 200 with this body instead."""
    return status(200, text)


def lost(door: Door) -> None:
    """The request is carried out and the connection closed before a byte comes back."""
    door.close_connection = True


def cut(door: Door) -> None:
    """The answer ends in its middle."""
    door.send_response(200)
    door.send_header("Content-Length", "1000")
    door.end_headers()
    door.wfile.write(b'{"poll": 1, "desi')


def endless(door: Door) -> None:
    """An answer of more bytes than any order can have, until the agent hangs up."""
    door.send_response(200)
    door.end_headers()
    try:
        while True:
            door.wfile.write(b" " * 65536)
    except OSError:
        door.close_connection = True


def echo(door: Door) -> None:
    """A refusal that says back, everywhere it can, what should never be written to a log."""
    secret = door.authorization
    door.send_response(500, secret)
    door.send_header("X-Secret", secret)
    door.send_header("Location", f"http://{secret.removeprefix('Bearer ')}/")
    door.end_headers()
    door.wfile.write(json.dumps({"error": secret}).encode())


def gibberish(door: Door) -> None:
    """Something that is not HTTP."""
    door.wfile.write(b"\x00\xff 220 mail ESMTP\r\n" * 3)
    door.close_connection = True
