"""The bucket beside the inventory: what either side does not know is found, told or removed, page by page."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import Event
from backups import tasks
from backups.models import Stored
from backups.programs import compare
from clients.object_storage import Storage
from engine import worker
from engine.models import Alarm, Run
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from tests.backups.conftest import Host, content, in_bucket, in_rows, make_older, put, work

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def compared() -> Run:
    tasks.compare()
    return work("CompareBucket")


def place(storage: Storage, key: str, text: str) -> None:
    """Somebody with the storage's key, past the gate."""
    raw, digest = content(text)
    given = storage.presign_write(key, bytes=len(raw), sha256=digest)
    assert put({"url": given.url, "headers": given.headers}, raw) == 200


def open_alarms() -> list[str]:
    return sorted(Alarm.objects.filter(closed_at=None).values_list("key", flat=True))


def full(host: Host, many: int = 7) -> list[dict[str, Any]]:
    return [
        host.write(kind, f"{kind} {n}") for n in range(many) for kind in ("data", "index", "snapshots")
    ] + [host.write("config", "the config")]


@pytest.mark.parametrize(("page", "rows"), [(1000, 2000), (3, 2000), (3, 5), (1, 1), (50, 2), (2, 50)])
def test_books_that_agree_are_left_as_they_are(
    host: Host, other: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch, page: int, rows: int
):
    monkeypatch.setattr(compare, "PAGE", page)
    monkeypatch.setattr(compare, "ROWS", rows)
    full(host), full(other, 2)
    make_older(2 * DAY)
    before = in_bucket(storage)
    assert compared().outcome == "0 missing, 0 strangers"
    assert in_bucket(storage) == in_rows() == before
    assert open_alarms() == []


@pytest.mark.parametrize(("page", "rows"), [(1000, 2000), (3, 5), (2, 50)])
def test_what_was_lost_alarms_by_its_server_and_is_well_when_it_is_back(
    host: Host, other: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch, page: int, rows: int
):
    monkeypatch.setattr(compare, "PAGE", page)
    monkeypatch.setattr(compare, "ROWS", rows)
    names = full(host)
    full(other, 2)
    make_older(2 * DAY)
    lost = f"{host.server.pk}/data/{names[0]['name']}"
    storage.delete_many([lost])
    assert compared().outcome == "1 missing, 0 strangers"
    assert open_alarms() == [f"backups:{host.server.pk}:missing"]
    assert names[0]["name"] in Alarm.objects.get(closed_at=None).says
    assert compared().outcome == "1 missing, 0 strangers"
    assert Event.objects.filter(action="backup.missing").count() == 1
    place(storage, lost, "data 0")
    compared()
    assert open_alarms() == []


def test_strangers_leave_after_a_day_and_the_young_stay(
    host: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    full(host, 1)
    make_older(2 * DAY)
    mine = in_bucket(storage)
    for key in (
        f"{host.server.pk}/data/{'0' * 64}",
        f"{uuid4()}/config",
        "odd",
        "zz/zz/zz",
        f"{host.server.pk.hex}/config",
    ):
        place(storage, key, "a stranger")
    assert compared().outcome == "0 missing, 0 strangers"
    assert len(in_bucket(storage)) == len(mine) + 5
    monkeypatch.setattr(compare, "STRANGER", -DAY)
    assert compared().outcome == "0 missing, 5 strangers"
    assert in_bucket(storage) == mine


def test_an_object_that_is_signed_for_is_no_stranger(
    host: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    host.write("data", "not told of", tell=False)
    monkeypatch.setattr(compare, "STRANGER", -DAY)
    compared()
    assert len(in_bucket(storage)) == 1


def test_an_object_that_was_exchanged_for_one_of_another_length_alarms(host: Host, storage: Storage):
    name = host.write("data", "the real one")
    place(storage, f"{host.server.pk}/data/{name['name']}", "something else altogether")
    compared()
    assert open_alarms() == [f"backups:{host.server.pk}:damaged"]


def test_what_was_in_the_trash_and_is_gone_already_leaves_the_inventory(host: Host, storage: Storage):
    name = host.write("data", "a pack")
    host.told("remove", name)
    storage.delete_many(in_bucket(storage))
    make_older(timedelta(hours=2))
    assert compared().outcome == "0 missing, 0 strangers"
    assert not Stored.objects.exists()


def test_while_the_storage_is_away_it_waits_and_goes_on_where_it_was(
    host: Host, s3: S3Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compare, "PAGE", 4)
    full(host)
    s3.state.add(Fault("away", "list"))
    tasks.compare()
    run = work("CompareBucket")
    assert run.error.startswith("TryLater")
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    worker.work(run.pk)
    run.refresh_from_db()
    assert run.outcome == "0 missing, 0 strangers"
