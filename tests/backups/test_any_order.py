"""Calls in any order, twice, lost or without their answer: afterwards the inventory is the bucket."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as some

from backups import bucket, trash
from backups.models import Stored
from backups.programs.compare import CompareBucket
from clients.errors import ClientError
from clients.object_storage import Storage
from engine import actions as engine
from engine.models import Run
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from servers.models import Server
from tests.backups.conftest import Host, begin, call, in_bucket, in_rows, make_older, server_of, work
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
KINDS = ("data", "index", "snapshots", "locks")
DAY = timedelta(days=1)
STEPS = some.lists(
    some.tuples(
        some.sampled_from(
            ["write", "put", "put", "wrote", "read", "list", "remove", "age", "empty", "settle", "compare"]
        ),
        some.sampled_from(KINDS),
        some.integers(0, 3),
        some.sampled_from(["", "", "", "twice", "lost", "slow_down", "lose_answer"]),
    ),
    max_size=25,
)


class World:
    """One host and one bucket; `addresses` are all that were ever given and not yet spent."""

    def __init__(self, host: Host, s3: S3Server, storage: Storage) -> None:
        self.host, self.s3, self.storage = host, s3, storage
        self.addresses: dict[str, tuple[dict, bytes]] = {}

    def take(self, do: str, kind: str, n: int, way: str) -> None:
        if way in ("slow_down", "lose_answer"):
            self.s3.state.add(Fault(way))
        for _ in range(2 if way == "twice" else 1):
            if way != "lost":
                getattr(self, do)(kind, f"{kind} {n}".encode())
        self.s3.state.clear()

    def write(self, kind: str, raw: bytes) -> None:
        wish = self.host.wish(kind, raw)
        answer = self.host.ask("write", objects=[wish])
        if answer.status_code == 200 and "url" in (one := answer.json()["objects"][0]):
            self.addresses[wish["name"]] = (one, raw)

    def put(self, kind: str, raw: bytes) -> None:
        name = self.host.wish(kind, raw)["name"]
        if name in self.addresses:
            one, raw = self.addresses[name]
            try:
                call("PUT", one["url"], one["headers"], raw)
            except OSError:
                return

    def ask(self, do: str, kind: str, raw: bytes) -> None:
        name = {"kind": kind, "name": self.host.wish(kind, raw)["name"]}
        assert self.host.ask(do, objects=[name]).status_code in (200, 503)

    def wrote(self, kind: str, raw: bytes) -> None:
        self.ask("wrote", kind, raw)

    def read(self, kind: str, raw: bytes) -> None:
        self.ask("read", kind, raw)

    def remove(self, kind: str, raw: bytes) -> None:
        self.ask("remove", kind, raw)

    def list(self, kind: str, raw: bytes) -> None:
        assert self.host.ask("list", kind=kind, after="").status_code in (200, 503)

    def age(self, kind: str, raw: bytes) -> None:
        """A day and a bit passes: addresses are spent."""
        self.addresses.clear()
        make_older(DAY + timedelta(hours=3))

    def empty(self, kind: str, raw: bytes) -> None:
        self._by_clock(trash.empty)

    def settle(self, kind: str, raw: bytes) -> None:
        self._by_clock(trash.settle)

    def _by_clock(self, job: object) -> None:
        try:
            job()  # type: ignore[operator]
        except ClientError:
            return

    def compare(self, kind: str, raw: bytes) -> None:
        engine.start(CompareBucket, subject="backups:bucket")
        work("CompareBucket")
        Run.objects.filter(finished_at=None).update(due_at=timezone.now())

    def never_lies(self) -> None:
        """What a host is told to be stored lies in the bucket, whatever went wrong before."""
        stored = {row.key for row in Stored.objects.filter(state="stored")}
        assert stored <= in_bucket(self.storage)

    def settles(self) -> None:
        """The host is silent, and the clock looks until there is nothing more to do."""
        for _ in range(3):
            self.age("", b"")
            trash.settle()
            trash.empty()
        assert in_bucket(self.storage) == in_rows()
        assert not Stored.objects.exclude(state="stored").exists()


@how(max_examples=25, suppress_health_check=ONE_WORLD)
@given(steps=STEPS)
def test_afterwards_the_inventory_is_the_bucket(
    client: Client, server: Server, gate: None, s3: S3Server, storage: Storage, settings, steps
):
    settings.STORAGE_BUCKET = f"mailat-{uuid4().hex[:12]}"
    bucket.storage().ensure_bucket()
    fresh = server_of(server.account, f"s{uuid4().hex[:10]}")
    Stored.objects.all().delete()
    begin(fresh)
    host = Host(client, fresh)
    host.escrow()
    world = World(host, s3, bucket.storage())
    for step in steps:
        world.take(*step)
        world.never_lies()
    world.settles()
