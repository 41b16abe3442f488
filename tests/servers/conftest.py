"""A Hetzner to talk to, and a wish for a server."""

import json
import logging
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.serving import make_server

from accounts.models import Account
from engine.models import Run
from engine.program import Program
from sandbox import hosts
from sandbox.hetzner import doors, open_project
from servers import actions, userdata
from servers.models import Server
from tests.backups.conftest import s3, storage

__all__ = ["Vendor", "program", "s3", "server", "storage", "vendor"]


class Vendor:
    """The stand-in, and its levers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def machines(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "machines")["machines"])

    def calls(self) -> list[str]:
        return [f"{call['method']} {call['template']}" for call in self._call("GET", "calls")["calls"]]

    def fault(self, **what: Any) -> None:
        self._call("POST", "faults", what)

    def mend(self) -> None:
        self._call("DELETE", "faults")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/hetzner/sandbox/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or "null")


@pytest.fixture
def vendor(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    monkeypatch.setattr("clients.hetzner_cloud.TIMEOUT", (120.0, 120.0))  # a busy machine answers late
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = flask.Flask("vendor")
    kind = hosts.choose("none", tmp_path, 8000, on_log=lambda text: None)
    project = open_project(tmp_path, kind)
    app.register_blueprint(doors(project, settings.HETZNER_TOKEN), url_prefix="/hetzner")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    settings.HETZNER_API_URL = f"http://127.0.0.1:{server.port}/hetzner/v1"
    yield Vendor(f"http://127.0.0.1:{server.port}")
    server.shutdown()
    server.server_close()
    kind.close()
    project.store.close()


@pytest.fixture(autouse=True)
def _agent_is_built(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.pyz").write_bytes(b"the agent")
    (folder / "agent.pyz.sha256").write_text("ab" * 32 + "  agent.pyz\n")
    settings.AGENT_BUILD_DIR = folder
    userdata.agent_sha256.cache_clear()


@pytest.fixture
def server(account: Account) -> Server:
    return actions.want_server(account=account, name="post", place="fsn1", plan="basic", by="user:1")


def program(kind: type[Program], server: Server) -> Any:
    """The live run of the server, as its program; each call reads it anew."""
    return kind(Run.objects.get(subject=server.subject, program=kind.__name__, finished_at=None))
