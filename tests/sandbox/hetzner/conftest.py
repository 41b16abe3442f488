"""A stand-in that listens on loopback, and the vendor's client for it."""

from __future__ import annotations

import contextlib
import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import flask
import hcloud
import pytest
import requests
from hcloud.actions import BoundAction
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType
from werkzeug.serving import make_server

from sandbox.hetzner import doors, open_project
from sandbox.hetzner.api import OPERATIONS
from sandbox.hosts import Hosts, choose
from tests.sandbox.hetzner.contract import Contract, contract

TOKEN = "token-of-alice"


class Standin:
    """The stand-in under test; every answer that its clients get is held against the vendor's description."""

    def __init__(self, home: pathlib.Path, hosts: Hosts) -> None:
        self._hosts = hosts
        app = flask.Flask("standin")
        project = open_project(home, hosts)
        self._machines = project.machines
        app.register_blueprint(doors(project, TOKEN), url_prefix="/hetzner")
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.root = f"http://127.0.0.1:{self._server.port}"
        self.url, self.sandbox = f"{self.root}/hetzner/v1", f"{self.root}/hetzner/sandbox"
        self.contract: Contract | None = contract()
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._hosts.close()

    def client(self, token: str = TOKEN, retries: int = 0, timeout: float = 30) -> hcloud.Client:
        client = hcloud.Client(token, api_endpoint=self.url, poll_interval=0.02, timeout=timeout)
        client._client._retry_max_retries = retries
        client._client._retry_interval_func = lambda retry: 0.0
        client._client._session.hooks["response"].append(self._judge)
        return client

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """A call without the client, for what the client cannot be brought to say."""
        headers = {"Authorization": f"Bearer {TOKEN}", **more.pop("headers", {})}
        answer = requests.request(method, self.url + path, headers=headers, timeout=30, **more)
        self._judge(answer)
        return answer

    def _judge(self, answer: requests.Response, *args: Any, **more: Any) -> None:
        path = (answer.request.path_url).partition("?")[0].removeprefix("/hetzner/v1")
        template = re.sub(r"/\d+", "/{id}", path)
        described = {(method, re.sub(r"<.*?>", "{id}", one)) for method, one in OPERATIONS.values()}
        if self.contract and (answer.request.method, template) in described:
            self.contract.judge(str(answer.request.method), template, answer.status_code, answer.content)

    def fault(self, kind: str, **more: Any) -> None:
        answer = requests.post(f"{self.sandbox}/faults", json={"kind": kind, **more}, timeout=10)
        assert answer.status_code == 201, answer.text

    @contextlib.contextmanager
    def machines_at_rest(self, machine_id: int) -> Iterator[None]:
        """What would be done to the machine in the background waits for the end of the block."""
        with self._machines.held(machine_id):
            yield

    def calls(self) -> list[dict[str, Any]]:
        return requests.get(f"{self.sandbox}/calls", timeout=10).json()["calls"]

    def machines(self) -> list[dict[str, Any]]:
        return requests.get(f"{self.sandbox}/machines", timeout=10).json()["machines"]


@pytest.fixture
def hosts(tmp_path: pathlib.Path) -> Hosts:
    return choose("none", tmp_path / "hosts", 8000)


@pytest.fixture
def standin(tmp_path: pathlib.Path, hosts: Hosts) -> Iterator[Standin]:
    running = Standin(tmp_path / "home", hosts)
    yield running
    running.close()


@pytest.fixture
def client(standin: Standin) -> hcloud.Client:
    return standin.client()


@pytest.fixture
def order(client: hcloud.Client) -> Callable[..., Any]:
    """Orders a server as the product would."""

    def make(name: str = "alice.example.test", **more: Any) -> Any:
        place = more.pop("location", "fsn1")
        wish = {
            "server_type": ServerType(name=more.pop("server_type", "cx23")),
            "image": Image(name="debian-13"),
        }
        return (more.pop("client", None) or client).servers.create(
            name, **wish, location=Location(name=place), **more
        )

    return make


@pytest.fixture
def ordered(order: Callable[..., Any]) -> Any:
    """A server that runs."""
    created = order(user_data="#cloud-config\n", labels={"mailat": "alice"})
    finish(created.action, *created.next_actions)
    return created.server


def finish(*actions: BoundAction) -> None:
    for action in actions:
        action.wait_until_finished(max_retries=1000)
