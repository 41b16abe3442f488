"""An agent that tells what was done to it, and a place on loopback to fetch it from."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import pathlib
import threading
import zipfile
from collections.abc import Callable, Iterator

import pytest

AGENT = """
import json, os, pathlib, sys, time
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
state = pathlib.Path(arguments["--state"])
config = json.loads(pathlib.Path(arguments["--config"]).read_text())
with (state / "starts").open("a") as starts:
    starts.write("x")
(state / "seen.tmp").write_text(json.dumps({"pid": os.getpid(), "config": config, "environment": dict(os.environ)}))
(state / "seen.tmp").rename(state / "seen.json")
print("the agent speaks", flush=True)
if (status := config.get("ends_with")) is not None:
    sys.exit(status)
while True:
    time.sleep(1)
"""


class Depot:
    """Serves the agent, once it is opened; before that it answers as a control plane that is not up."""

    def __init__(self) -> None:
        self.agent, self.asked, self.open = _zipapp(AGENT), threading.Event(), True
        depot = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                depot.asked.set()
                self.send_response(200 if depot.open else 503)
                self.end_headers()
                self.wfile.write(depot.agent if depot.open else b"")

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def user_data(self, sha256: str = "", **config: object) -> str:
        """As the product writes it, with what the agent of these tests wants to know besides."""
        told = {
            "agent_url": f"http://127.0.0.1:{self.port}/agent/v1/agent.pyz",
            "agent_sha256": sha256 or hashlib.sha256(self.agent).hexdigest(),
            **config,
        }
        entry = {"path": "/etc/mailat/agent.json", "permissions": "0600", "content": json.dumps(told)}
        return "#cloud-config\n" + json.dumps({"write_files": [entry], "runcmd": [["true"]]})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _zipapp(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__main__.py", code)
    return buffer.getvalue()


@pytest.fixture
def depot() -> Iterator[Depot]:
    running = Depot()
    yield running
    running.close()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Waits for something to become true; the end of patience is only there so that a failing test ends."""

    def wait(true: Callable[[], object]) -> None:
        pause = threading.Event()
        for _ in range(15_000):  # a host that boots on a busy machine takes minutes
            if true():
                return
            pause.wait(0.02)
        raise AssertionError("it never became true")

    return wait


def gone(pid: int) -> bool:
    """Whether the process has ended; one that only waits for its parent to notice has."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
