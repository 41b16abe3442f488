"""Alice's server with backups, a storage that speaks S3, and the gate as a host's agent reaches it."""

import base64
import hashlib
import http.client
import json
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from backups import actions, bucket
from backups.models import Repository, Stored
from clients import object_storage
from clients.errors import TryLater
from clients.object_storage import Storage
from engine import worker
from engine.models import Run
from sandbox.storage.server import Keys, S3Server
from servers.models import Agent, Server
from vault.sealing import SUITE

KEYS = Keys("the-access-key", "the-secret-of-the-storage-key")
SECRET = "the-agents-own-secret"
GB = 10**9
PASSWORD = "a-password-of-restic-made-on-the-host"
BY = "user:1"
NAMES = ("data", "index", "keys", "locks", "snapshots")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"), KEYS)
    server.rclone.connect()  # it is up before anybody waits for an answer
    yield server
    server.close()


@pytest.fixture
def storage(s3: S3Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A bucket of this test's own; a busy machine may answer late."""
    monkeypatch.setattr(object_storage, "READ", 120)
    object_storage._config.cache_clear()
    s3.state.clear()
    settings.STORAGE_URL, settings.STORAGE_REGION = s3.url, "fsn1"
    settings.STORAGE_BUCKET = f"mailat-{uuid4().hex[:12]}"
    settings.STORAGE_ACCESS_KEY, settings.STORAGE_SECRET_KEY = KEYS.access_key, KEYS.secret_key
    _make_bucket()
    yield bucket.storage()
    s3.state.clear()
    object_storage._config.cache_clear()


def _make_bucket(tries: int = 20) -> None:
    """As every caller in the product, it asks again what cannot be had now; that it had to is among the warnings."""
    for _ in range(tries - 1):
        try:
            return bucket.storage().ensure_bucket()
        except TryLater as error:
            warnings.warn(f"the storage's stand-in broke off: {error}: {_first(error)!r}", stacklevel=1)
            time.sleep(0.5)
    return bucket.storage().ensure_bucket()


def _first(error: BaseException) -> BaseException:
    """What the others came of; it may hold what was read from the connection."""
    return _first(error.__context__) if error.__context__ else error


def server_of(account: Account, name: str) -> Server:
    server = Server.objects.create(
        account=account, name=name, plan="basic", place="fsn1", ready_at=timezone.now()
    )
    Agent.objects.create(server=server, key_hash=sha256(SECRET.encode()).hexdigest(), seal_key="A" * 44)
    return server


def begin(server: Server, keep: timedelta = timedelta(days=1), room: int = 40 * GB) -> Repository:
    repository = actions.ensure_repository(
        account=server.account_id, home=server.pk, keep=keep, room=room, by=BY
    )
    assert repository is not None
    return repository


def content(text: str | bytes) -> tuple[bytes, str]:
    raw = text.encode() if isinstance(text, str) else text
    return raw, hashlib.sha256(raw).hexdigest()


class Host:
    """What a server's agent, or whoever stole its credentials, can do."""

    def __init__(self, client: Client, server: Server, secret: str = SECRET) -> None:
        self.client, self.server, self.secret = client, server, secret

    def ask(self, do: str, **said: Any) -> HttpResponse:
        return self.post(json.dumps({"do": do, **said}))

    def post(self, body: str | bytes, **headers: str) -> HttpResponse:
        bearer = {"Authorization": f"Bearer {self.server.pk}.{self.secret}", **headers}
        return self.client.post("/agent/v1/storage", body, content_type="application/json", headers=bearer)

    def told(self, do: str, *objects: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.ask(do, objects=list(objects))
        assert answer.status_code == 200, answer.content
        return answer.json()["objects"]

    def escrow(self, password: str = PASSWORD) -> HttpResponse:
        order = actions.wanted(self.server.pk)
        assert order
        key = X25519PublicKey.from_public_bytes(base64.b64decode(order["escrow"]["public"]))
        sealed = SUITE.encrypt(password.encode(), key, info=base64.b64decode(order["escrow"]["info"]))
        return self.ask("escrow", sealed=base64.b64encode(sealed).decode(), key=order["escrow"]["id"])

    def wish(self, kind: str, raw: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(raw).hexdigest()
        named = {"name": "", "sha256": digest} if kind == "config" else {"name": digest}
        return {"kind": kind, "bytes": len(raw), **named}

    def write(self, kind: str, text: str | bytes, *, tell: bool = True) -> dict[str, Any]:
        """The whole way: an address, the object itself, and telling of it; returns what names it."""
        raw, _ = content(text)
        (given,) = self.told("write", self.wish(kind, raw))
        if "url" in given:
            assert put(given, raw) == 200
        name = {"kind": kind, "name": given["name"]}
        if tell:
            assert self.told("wrote", name) == [{**name, "there": True}]
        return name

    def names(self, kind: str) -> list[str]:
        found: list[str] = []
        while True:
            answer = self.ask("list", kind=kind, after=found[-1] if found else "").json()
            found += [one["name"] for one in answer["objects"]]
            if not answer["more"]:
                return found


def put(given: dict[str, Any], raw: bytes, **headers: str) -> int:
    """As the host's own program sends it: with these headers and no others."""
    return call("PUT", given["url"], {**given.get("headers", {}), **headers}, raw)[0]


def get(given: dict[str, Any]) -> tuple[int, bytes]:
    return call("GET", given["url"], {})


def call(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    wire = http.client.HTTPConnection(parts.netloc, timeout=120)
    wire.request(method, f"{parts.path}?{parts.query}", body=body, headers=headers)
    answer = wire.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        wire.close()


@pytest.fixture
def gate(settings: Any) -> None:
    settings.ROOT_URLCONF = "mailat.gate_urls"


@pytest.fixture
def server(account: Account, storage: Storage) -> Server:
    server = server_of(account, "post")
    begin(server)
    return server


@pytest.fixture
def host(client: Client, server: Server, gate: None) -> Host:
    """With its password in escrow, so that it may begin."""
    host = Host(client, server)
    assert host.escrow().json() == {"kept": True}
    return host


@pytest.fixture
def other(client: Client, account: Account, host: Host) -> Host:
    """Another server's."""
    server = server_of(account, "other")
    begin(server)
    one = Host(client, server)
    assert one.escrow().json() == {"kept": True}
    return one


@pytest.fixture
def age() -> Callable[..., None]:
    return make_older


def make_older(by: timedelta, **which: Any) -> None:
    """As if time had passed for these objects."""
    rows = Stored.objects.filter(**which)
    for field in ("signed_at", "stored_at", "trashed_at", "leaves_at"):
        for row in rows.filter(**{f"{field}__isnull": False}):
            Stored.objects.filter(pk=row.pk).update(**{field: getattr(row, field) - by})


def work(program: str) -> Run:
    """Works the run until it naps for long or ends."""
    run = Run.objects.filter(program=program).latest("pk")
    worker.work(run.pk)
    run.refresh_from_db()
    return run


def in_bucket(storage: Storage) -> set[str]:
    return {one.key for one in storage.listing()}


def in_rows() -> set[str]:
    return {row.key for row in Stored.objects.filter(state__in=("stored", "trashed", "leaving"))}


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def objects_of(folder: Path) -> int:
    return sum(1 for one in folder.rglob("*") if one.is_file())
