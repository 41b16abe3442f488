"""What may be removed, how much of it, and what stays whatever is asked."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from backups import actions, trash
from backups.models import Repository, Stored
from clients.object_storage import Storage
from engine.models import Alarm
from tests.backups.conftest import (
    NAMES,
    Host,
    content,
    in_bucket,
    make_older,
)

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIB = 2**20


def test_a_snapshot_stays_for_its_time_and_the_newest_for_ever(host: Host):
    old, new = host.write("snapshots", "old"), host.write("snapshots", "new")
    assert [one["refused"] for one in host.told("remove", old, new)] == ["kept", "kept"]
    make_older(DAY - HOUR)
    assert host.told("remove", old)[0]["refused"] == "kept"
    make_older(2 * HOUR)
    assert host.told("remove", old) == [{**old, "removed": True}]
    assert host.told("remove", new)[0]["refused"] == "kept"
    make_older(99 * DAY, name=new["name"])
    assert host.told("remove", new)[0]["refused"] == "kept"


def test_a_snapshot_does_not_come_out_of_the_trash_to_stay_longer(host: Host):
    old, _ = host.write("snapshots", "old"), host.write("snapshots", "new")
    make_older(DAY + HOUR)
    host.told("remove", old)
    assert host.told("write", host.wish("snapshots", b"old"))[0]["refused"] == "trashed"


def test_what_opens_the_repository_is_not_removed(host: Host):
    name = host.write("keys", "a key")
    make_older(99 * DAY)
    assert host.told("remove", name)[0]["refused"] == "kept"


def filled(host: Host, sizes: list[int], age: timedelta) -> list[dict[str, Any]]:
    """Packs of these sizes, as the inventory has them; no test writes gigabytes."""
    at = timezone.now() - age
    rows = [
        Stored(
            home=host.server.pk,
            kind="data",
            name=content(f"{age} {n}")[1],
            bytes=size,
            state="stored",
            signed_at=at,
            stored_at=at,
        )
        for n, size in enumerate(sizes)
    ]
    Stored.objects.bulk_create(rows)
    return [{"kind": "data", "name": row.name} for row in rows]


def test_of_more_than_half_of_all_bytes_in_a_day_the_rest_stays_and_alarms_once(host: Host):
    names = filled(host, [100 * MIB] * 10, 2 * DAY)
    told = [host.told("remove", name)[0] for name in names]
    assert [one.get("refused", "") for one in told] == [""] * 5 + ["too_many"] * 5
    assert Alarm.objects.get(closed_at=None).key == f"backups:{host.server.pk}:removals"
    assert Event.objects.filter(action="backup.removals_refused").count() == 1
    assert Stored.objects.filter(state="stored").count() == 5


def test_fresh_junk_makes_no_room_for_removing_what_is_old(host: Host):
    old = filled(host, [100 * MIB] * 10, 2 * DAY)
    filled(host, [1000 * MIB] * 10, timedelta())
    refused = [one.get("refused", "") for one in host.told("remove", *old)]
    assert refused.count("too_many") == 5


def test_little_may_go_whole(host: Host):
    names = filled(host, [10 * MIB] * 6, 2 * DAY)
    assert all(one.get("removed") for one in host.told("remove", *names))


def test_the_day_after_half_of_the_rest_may_go(host: Host):
    names = filled(host, [100 * MIB] * 8, 2 * DAY)
    host.told("remove", *names)
    make_older(DAY + HOUR, state="trashed")
    Stored.objects.filter(state="trashed").delete()
    told = host.told("remove", *names[4:])
    assert [one.get("refused", "") for one in told] == ["", "", "too_many", "too_many"]


def test_staff_allow_it_for_a_day_and_never_within_the_retention(host: Host):
    names, snapshot = filled(host, [100 * MIB] * 10, 2 * DAY), host.write("snapshots", "one")
    host.told("remove", *names)
    actions.allow_removals(home=host.server.pk, by="staff:3", why="much mail was deleted")
    assert not Alarm.objects.filter(closed_at=None).exists()
    told = host.told("remove", *names, snapshot)
    assert [one.get("refused", "") for one in told] == [""] * 10 + ["kept"]
    Repository.objects.update(removals_allowed_until=timezone.now() - HOUR)
    more = filled(host, [100 * MIB] * 10, 3 * DAY)
    assert "too_many" in {one.get("refused") for one in host.told("remove", *more)}


def test_a_thief_cannot_remove_its_own_history_before_a_day_is_over(host: Host, storage: Storage):
    names = [
        host.write(kind, f"{kind} {n}")
        for kind in (*NAMES[:3], "snapshots", "config")
        for n in range(1 if kind == "config" else 4)
    ]
    before = in_bucket(storage)
    make_older(5 * DAY)
    host.told("remove", *names)
    trash.empty()
    assert in_bucket(storage) == before
    assert actions.bring_back(home=host.server.pk, by="staff:3", why="its credentials were stolen") == 8
    left = {
        one["name"] for kind in ("data", "index") for one in host.ask("list", kind=kind).json()["objects"]
    }
    assert left == {one["name"] for one in names if one["kind"] in ("data", "index")}


def test_nobody_fills_the_storage(host: Host):
    Repository.objects.update(room=MIB)
    assert "url" in host.told("write", host.wish("data", b"x" * 2 * MIB))[0]
    assert host.told("write", host.wish("data", b"y" * 2 * MIB))[0]["refused"] == "full"
    told = host.told("write", *[{"kind": "data", "name": f"{n:064x}", "bytes": 2**30} for n in range(3)])
    assert [one["refused"] for one in told] == ["full"] * 3


def test_nobody_fills_it_with_little_things_either(host: Host):
    Repository.objects.update(room=MIB)
    many = [host.wish("data", f"{n}".encode()) for n in range(49)]
    assert {one["refused"] for one in host.told("write", *many)} == {"full"}
    assert all("url" in one for one in host.told("write", *many[:48]))
    assert host.told("write", many[48])[0]["refused"] == "full"
