"""The gate does for a host what its backups need: new objects, reading them, lists, and removals that wait in the trash."""

from datetime import timedelta
from typing import Any

import pytest

from backups import rows, trash
from backups.models import Stored
from clients.object_storage import Storage
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from tests.backups.conftest import Host, content, get, in_bucket, make_older, put

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_what_is_written_can_be_read_and_lies_under_the_servers_own_prefix(host: Host, storage: Storage):
    name = host.write("data", "a pack")
    assert in_bucket(storage) == {f"{host.server.pk}/data/{name['name']}"}
    (given,) = host.told("read", name)
    assert get(given) == (200, b"a pack")
    assert host.names("data") == [name["name"]]


def test_all_kinds_have_their_place(host: Host, storage: Storage):
    written = [
        host.write(kind, f"one of {kind}")
        for kind in ("data", "index", "keys", "locks", "snapshots", "config")
    ]
    keys = {f"{host.server.pk}/{one['kind']}" + (f"/{one['name']}" if one["name"] else "") for one in written}
    assert in_bucket(storage) == keys
    assert [get(one)[0] for one in host.told("read", *written)] == [200] * 6


def test_what_is_stored_is_not_written_again(host: Host):
    host.write("data", "a pack")
    (given,) = host.told("write", host.wish("data", b"a pack"))
    assert given["there"] is True
    assert "url" not in given


def test_a_host_that_was_killed_before_it_told_is_told_that_it_arrived(host: Host):
    host.write("data", "a pack", tell=False)
    assert Stored.objects.get().state == "signed"
    assert host.told("write", host.wish("data", b"a pack"))[0]["there"] is True
    assert Stored.objects.get().state == "stored"


def test_a_host_that_was_killed_before_it_wrote_is_given_another_address(host: Host):
    wish = host.wish("data", b"a pack")
    host.told("write", wish)
    (again,) = host.told("write", wish)
    assert put(again, b"a pack") == 200
    assert host.told("wrote", {"kind": "data", "name": wish["name"]})[0]["there"] is True


def test_each_object_is_answered_in_its_place_and_one_named_twice_twice(host: Host):
    name, other = host.write("data", "a"), host.wish("data", b"b")
    told = host.told("write", host.wish("data", b"a"), other, host.wish("data", b"a"))
    assert [one["name"] for one in told] == [name["name"], other["name"], name["name"]]
    assert ["there" in one for one in told] == [True, False, True]
    assert [one.get("there") for one in host.told("wrote", name, name)] == [True, True]


def test_what_nobody_wrote_is_not_there_and_cannot_be_read(host: Host):
    name = {"kind": "data", "name": "ab" * 32}
    assert host.told("wrote", name) == [{**name, "there": False}]
    assert host.told("read", name) == [{**name, "gone": True}]
    host.told("write", {**name, "bytes": 5})
    assert host.told("wrote", name) == [{**name, "there": False}]
    assert host.told("read", name) == [{**name, "gone": True}]


def test_a_list_comes_in_pages_by_name_and_has_what_was_written_and_not_told(host: Host, monkeypatch: Any):
    monkeypatch.setattr("backups.gate.PAGE", 3)
    written = sorted(host.write("index", f"index {n}", tell=n % 2 == 0)["name"] for n in range(8))
    host.told("write", host.wish("index", b"never came"))
    assert host.names("index") == written
    first = host.ask("list", kind="index", after="").json()
    names = [one["name"] for one in first["objects"]]
    assert names == written[: len(names)]
    assert (first["more"], len(names)) in [(True, 2), (True, 3)]
    assert first["objects"][0]["bytes"] == len("index 0")


def test_a_page_of_nothing_but_what_never_came_is_passed_over(host: Host, monkeypatch: Any):
    monkeypatch.setattr("backups.gate.PAGE", 2)
    texts = sorted((f"data {n}" for n in range(7)), key=lambda text: content(text)[1])
    host.told("write", *[host.wish("data", text.encode()) for text in texts[:6]])
    last = host.write("data", texts[6])
    assert host.names("data") == [last["name"]]


def test_what_is_removed_is_gone_for_the_host_and_lies_in_the_bucket_for_a_day(host: Host, storage: Storage):
    name = host.write("data", "a pack")
    assert host.told("remove", name) == [{**name, "removed": True}]
    assert host.told("read", name) == [{**name, "gone": True}]
    assert host.names("data") == []
    make_older(DAY - timedelta(minutes=1))
    assert trash.empty() == 0
    assert len(in_bucket(storage)) == 1
    make_older(timedelta(minutes=2))
    assert trash.empty() == 1
    assert in_bucket(storage) == set()
    assert not Stored.objects.exists()


def test_a_lock_leaves_at_the_next_round(host: Host, storage: Storage):
    name = host.write("locks", "a lock")
    host.told("remove", name)
    assert host.names("locks") == []
    trash.empty()
    assert in_bucket(storage) == set()


def test_what_is_wanted_again_is_taken_out_of_the_trash(host: Host):
    name = host.write("data", "a pack")
    host.told("remove", name)
    assert host.told("write", host.wish("data", b"a pack"))[0]["there"] is True
    assert get(host.told("read", name)[0]) == (200, b"a pack")
    make_older(2 * DAY)
    assert trash.empty() == 0


def test_a_removal_may_be_repeated_and_of_nothing_it_is_done(host: Host):
    name = host.write("data", "a pack")
    nothing = {"kind": "data", "name": "ab" * 32}
    for _ in range(2):
        assert host.told("remove", name, nothing) == [{**name, "removed": True}, {**nothing, "removed": True}]


def test_while_the_storage_is_away_a_host_is_told_when_to_come_again(host: Host, s3: S3Server):
    host.write("data", "a pack", tell=False)
    for kind in ("slow_down", "away", "refuse"):
        s3.state.add(Fault(kind, "head", times=None))
        answer = host.ask("wrote", objects=[{"kind": "data", "name": content("a pack")[1]}])
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 300
        s3.state.clear()
    assert host.names("data") == [content("a pack")[1]]


def test_the_storage_is_asked_only_about_what_nobody_has_seen(host: Host, s3: S3Server):
    name = host.write("data", "a pack")
    s3.state.add(Fault("away", "head", times=None))
    assert host.told("wrote", name)[0]["there"] is True
    assert "url" in host.told("read", name)[0]
    assert host.names("data") == [name["name"]]


def test_a_call_for_five_hundred_is_as_many_statements_as_one_for_one(
    host: Host, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
):
    statements: list[str] = []
    usual = rows.prepared.run
    monkeypatch.setattr(rows.prepared, "run", lambda *what: statements.append(what[0]) or usual(*what))
    counts = []
    for many in (1, 500):
        statements.clear()
        with django_assert_num_queries(1):
            host.told("write", *[host.wish("data", f"{many} {n}".encode()) for n in range(many)])
        counts.append(len(statements))
    assert counts == [3, 3]
