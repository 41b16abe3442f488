"""The stand-in of Amazon as a server on this machine, and an endpoint that gets its messages."""

import http.server
import json
import logging
import pathlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config as BotoConfig
from werkzeug.serving import make_server

from clients import aws_calls, sns_messages
from sandbox.app import Config, World

PATIENCE = 120  # seconds
REGION, OFF = "eu-central-1", "eu-south-1"
SESSION = boto3.Session()  # keeps what it has loaded
ONCE = BotoConfig(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=PATIENCE)


@contextmanager
def patiently() -> Iterator[None]:
    """The product waits for this Amazon for as long as a busy machine needs, which says nothing of the program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_calls, "READ", PATIENCE)
        patch.setattr(sns_messages, "TIMEOUT", (PATIENCE, PATIENCE))
        aws_calls._config.cache_clear()
        yield
    aws_calls._config.cache_clear()


class Place:
    """`post` and `get` speak to the doors, `boto` to the API as the vendor's own library does."""

    def __init__(self, home: pathlib.Path, world: World | None = None) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.world = world or World(Config(home, "http://127.0.0.1:8000", hosts="none"))
        self.server = make_server("127.0.0.1", 0, self.world.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.api = self.world.where(self.url)["aws"]
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def cloud(self) -> Any:
        return self.world.aws.cloud

    def post(self, path: str, **body: object) -> dict[str, Any]:
        answer = requests.post(f"{self.api}/api/{path}", json=body, timeout=20)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def get(self, path: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.api}/api/{path}", timeout=20).json())

    def key(self, **wish: object) -> dict[str, Any]:
        """A key in an account of its own, which may do everything unless a policy says otherwise."""
        return self.post("keys", **wish)

    def choose(self, key: dict[str, Any], state: str, region: str = REGION, **limits: float) -> None:
        self.post("regions", account=key["account"], region=region, state=state, **limits)

    def boto(self, service: str, key: dict[str, Any], region: str = REGION) -> Any:
        return SESSION.client(
            service, region_name=region, endpoint_url=self.api, config=ONCE, aws_access_key_id=key["access_key"],
            aws_secret_access_key=key["secret"], aws_session_token=key.get("token") or None,
        )  # fmt: skip

    def enter(self, name: str, kind: str, value: str) -> None:
        """A record, as at a registrar."""
        wish = {"name": name, "type": kind, "value": value}
        requests.post(f"{self.url}/internet/api/names", json=wish, timeout=20).raise_for_status()

    def forget(self, name: str) -> None:
        requests.delete(f"{self.url}/internet/api/names", json={"name": name}, timeout=20).raise_for_status()

    def enter_dkim(self, domain: str, tokens: list[str], zone: str = "dkim.amazonses.com") -> None:
        for token in tokens:
            self.enter(f"{token}._domainkey.{domain}", "CNAME", f"{token}.{zone}.")

    def leave(self) -> None:
        """Ends the server and leaves the world to who made it."""
        self.server.shutdown()
        self.server.server_close()

    def close(self) -> None:
        self.leave()
        self.world.close()


class Endpoint:
    """A web server that keeps what it was sent, and first answers with these states."""

    def __init__(self, *answers: int) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers = list(answers)
        self._come = threading.Condition()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with endpoint._come:
                    endpoint.got.append((dict(self.headers.items()), body))
                    self.send_response(endpoint.answers.pop(0) if endpoint.answers else 200)
                    endpoint._come.notify_all()
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def wait(self, wanted: Callable[[dict[str, Any]], object] = bool, count: int = 1) -> list[dict[str, Any]]:
        """The messages that are wanted, as soon as there are so many; the end of patience only ends a failing test."""

        def found() -> list[dict[str, Any]]:
            return [told for _, body in self.got if wanted(told := json.loads(body))]

        with self._come:
            assert self._come.wait_for(lambda: len(found()) >= count, timeout=60), self.got
        return found()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def notes(told: dict[str, Any]) -> bool:
    return bool(told["Type"] == "Notification")


def allow(*actions: str, resource: str | list[str] = "*", **more: object) -> dict[str, Any]:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}
