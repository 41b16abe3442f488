"""Whoever stole a host's credentials asks the gate for other servers' objects, for its own history's end, and for no end of work.

What is really lost in the worst case is said in docs/backups.md.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from backups import actions, drills, gate_limits, trash, watch
from backups.models import Job, Repository, Stored
from clients.object_storage import Storage
from tests.backups.conftest import BY, GB, SECRET, Host, get, in_bucket, make_older, put
from tests.backups.test_removals import filled
from tests.backups.test_thief import read_escrow

pytestmark = pytest.mark.django_db
DAY, HOUR, MIB = timedelta(days=1), timedelta(hours=1), 2**20
KINDS = ("keys", "index", "snapshots", "data", "config")
DEEDS = ("write", "wrote", "read", "remove")
HEX = "a" * 64


def foreign(other: UUID, name: str) -> dict[str, dict[str, Any]]:
    """Ways to say another server's object, each a line."""
    return {
        "its name": {"kind": "data", "name": name},
        "its key": {"kind": "data", "name": f"{other}/data/{name}"},
        "its key, by dots": {"kind": "data", "name": f"../../{other}/data/{name}"},
        "its key, by coded dots": {"kind": "data", "name": f"%2e%2e%2f%2e%2e%2f{other}%2fdata%2f{name}"},
        "its key, by wide dots": {"kind": "data", "name": f"\uff0e\uff0e/{other}/data/{name}"},
        "its key, by backslashes": {"kind": "data", "name": f"..\\..\\{other}\\data\\{name}"},
        "its server as the kind": {"kind": str(other), "name": name},
        "its path as the kind": {"kind": f"../{other}/data", "name": name},
        "its path behind the kind": {"kind": "data/../../" + str(other) + "/data", "name": name},
        "a kind in large letters": {"kind": "DATA", "name": name},
        "a kind with a space": {"kind": "data ", "name": name},
        "a kind with a nought": {"kind": "data\0", "name": name},
        "two kinds": {"kind": ["data", "keys"], "name": name},
        "no kind": {"name": name},
        "its server beside": {"kind": "data", "name": name, "home": str(other), "server": str(other), "key": f"{other}/data/{name}"},
        "its bucket beside": {"kind": "data", "name": name, "bucket": "another", "url": "http://elsewhere.test/"},
        "large digits": {"kind": "data", "name": name.upper()},
        "63 digits": {"kind": "data", "name": name[:63]},
        "65 digits": {"kind": "data", "name": name + "0"},
        "64 digits and a line's end": {"kind": "data", "name": name + "\n"},
        "63 digits and a nought": {"kind": "data", "name": name[:63] + "\0"},
        "digits of another script": {"kind": "data", "name": "\u0661" * 64},
        "a config with a name": {"kind": "config", "name": name},
        "a config by dots": {"kind": "config", "name": f"../{other}/config"},
        "SQL": {"kind": "data", "name": f"{name[:50]}' OR '1'='1"},
        "a pattern": {"kind": "data", "name": "%" * 64},
        "a list": {"kind": "data", "name": [name]},
        "a number": {"kind": "data", "name": int(name, 16)},
    }  # fmt: skip


def world(storage: Storage) -> tuple[set[str], list[tuple[str, str]]]:
    """What lies in the bucket, and how the rows of it stand."""
    rows = Stored.objects.exclude(state="signed").order_by("pk")
    return in_bucket(storage), [(row.key, row.state) for row in rows]


def grown(host: Host, words: str) -> list[dict[str, Any]]:
    return [
        host.write(kind, f"{words} {kind} {n}") for kind in KINDS for n in range(1 if kind == "config" else 2)
    ]


@pytest.mark.parametrize("do", DEEDS)
def test_no_word_for_another_servers_object_means_it(
    host: Host, other: Host, storage: Storage, do: str
) -> None:
    grown(host, "mine")
    theirs = next(one for one in grown(other, "theirs") if one["kind"] == "data")["name"]
    before, wrong = world(storage), {}
    for words, named in foreign(other.server.pk, theirs).items():
        answer = host.ask(do, objects=[{"bytes": 5, "sha256": HEX, **named}])
        told = answer.json().get("objects", [])
        own = [one for one in told if f"/{host.server.pk}/" in one.get("url", "")]
        harmless = all(
            one in own or one.get("gone") or one.get("removed") or one.get("there") is False for one in told
        )
        if answer.status_code not in (200, 400) or not harmless or world(storage) != before:
            wrong[words] = (answer.status_code, answer.content[:200])
        if b"theirs" in answer.content or f"{other.server.pk}/data" in str([one.get("url") for one in told]):
            wrong[words] = (answer.status_code, "named")
    assert wrong == {}


@pytest.mark.parametrize(
    "bearer",
    [
        lambda me, they: f"{they}.{SECRET}x",
        lambda me, they: f"{they}.{me}.{SECRET}",
        lambda me, they: f"{me}.{SECRET}, Bearer {they}.{SECRET}x",
        lambda me, they: f"{me}/../{they}.{SECRET}",
        lambda me, they: f"{str(they).upper()}.{SECRET}y",
        lambda me, they: f"{uuid4()}.{SECRET}",
    ],
)
def test_the_credentials_of_one_server_are_those_of_no_other(
    host: Host, other: Host, bearer: Callable[[UUID, UUID], str]
) -> None:
    other.write("data", "theirs")
    given = bearer(host.server.pk, other.server.pk)
    answer = host.post('{"do": "list", "kind": "data"}', Authorization=f"Bearer {given}")
    assert answer.status_code == 401


def test_everything_that_is_asked_to_go_is_there_for_a_day_and_can_be_brought_back(
    host: Host, storage: Storage
) -> None:
    names = grown(host, "mine")
    make_older(40 * DAY)
    before = in_bucket(storage)
    for _ in range(3):
        host.told("remove", *names)
        trash.empty()
    assert in_bucket(storage) == before
    make_older(DAY - HOUR, state="trashed")
    trash.empty()
    assert in_bucket(storage) == before
    actions.bring_back(home=host.server.pk, by=BY, why="a thief")
    readable = [one for one in host.told("read", *names) if "url" in one]
    assert len(readable) == len(names) - 1, "but the snapshot whose time is over"
    assert all(get(one)[0] == 200 for one in readable)


def test_what_lies_in_the_trash_is_not_read(host: Host) -> None:
    name = host.write("data", "a pack")
    host.told("remove", name)
    assert host.told("read", name) == [{**name, "gone": True}]
    assert host.names("data") == []


def test_waves_below_the_limit_ask_for_a_drill_while_all_is_in_the_trash_still(host: Host) -> None:
    host.write("snapshots", "one")
    packs = filled(host, [100 * MIB] * 20, 2 * DAY)
    watch.look()
    Job.objects.filter(do="drill").delete()
    job = drills.want(home=host.server.pk, by=BY)
    Job.objects.filter(pk=job.pk).update(
        state="done", done_at=timezone.now() - 2 * DAY, asked_at=timezone.now() - 2 * DAY
    )
    host.told("remove", *packs[:2])
    watch.look()
    assert not Job.objects.open().exists()
    host.told("remove", packs[2])
    for _ in range(2):
        watch.look()
    assert Job.objects.open().filter(do="drill").count() == 1
    assert Stored.objects.filter(state="trashed", leaves_at__gt=timezone.now() + DAY - HOUR).count() == 3


def test_day_after_day_at_most_half_of_what_is_left_goes(host: Host) -> None:
    packs, left = filled(host, [100 * MIB] * 16, 9 * DAY), []
    for _ in range(3):
        host.told("remove", *packs)
        left.append(Stored.objects.filter(home=host.server.pk, kind="data", state="stored").count())
        Stored.objects.filter(state="trashed").delete()
    assert left == [8, 4, 2]


def test_junk_that_is_written_and_thrown_away_makes_no_room_and_is_paid_by_the_plan(host: Host) -> None:
    old = filled(host, [100 * MIB] * 10, 2 * DAY)
    junk = filled(host, [GB] * 100, timedelta())
    assert all(one.get("removed") for one in host.told("remove", *junk[:30]))
    told = host.told("remove", *old)
    assert sum(1 for one in told if one.get("removed")) <= 5
    assert host.told("write", {"kind": "data", "name": HEX, "bytes": 2**30, "sha256": HEX})
    filled(host, [GB] * 20, HOUR)
    assert host.told("write", host.wish("data", b"more"))[0]["refused"] == "full", (
        "what is in the trash counts"
    )


def test_keys_that_nobody_can_read_do_not_close_the_repository(host: Host, storage: Storage) -> None:
    grown(host, "mine")
    before = in_bucket(storage)
    told = host.told("write", *[host.wish("keys", f"junk {n}".encode()) for n in range(30)])
    assert {one["refused"] for one in told} == {"exists"}
    assert in_bucket(storage) == before
    assert not Stored.objects.filter(kind="keys", state="signed").exists()
    assert host.told("write", host.wish("keys", b"mine keys 0"))[0]["there"] is True


def test_rows_without_objects_are_few(host: Host) -> None:
    for begin in range(0, 3000, 500):
        host.told("write", *[host.wish("data", f"never {n}".encode()) for n in range(begin, begin + 500)])
    assert Stored.objects.filter(state="signed").count() == gate_limits.MOST_UNWRITTEN
    make_older(3 * HOUR)
    trash.settle()
    assert not Stored.objects.exists()
    assert "url" in host.told("write", host.wish("data", b"honest"))[0]


def test_an_address_that_was_kept_writes_the_same_bytes_or_nothing(host: Host, storage: Storage) -> None:
    wish = host.wish("data", b"a pack")
    (given,) = host.told("write", wish)
    assert put(given, b"a pack") == 200
    name = {"kind": "data", "name": wish["name"]}
    host.told("wrote", name)
    host.told("remove", name)
    before = Stored.objects.get().leaves_at
    assert put(given, b"a pack") == 200
    assert put(given, b"a pock") >= 400
    assert (Stored.objects.get().state, Stored.objects.get().leaves_at) == ("trashed", before)


def test_the_password_in_escrow_stays_what_the_repository_was_made_with(host: Host, other: Host) -> None:
    grown(host, "mine")
    kept, theirs = read_escrow(host), read_escrow(other)
    for password in ("a thief's", ""):
        assert host.escrow(password).status_code == 200
    assert (read_escrow(host), read_escrow(other)) == (kept, theirs)


def test_an_ended_servers_agent_gets_nothing_and_changes_nothing(
    host: Host, other: Host, storage: Storage
) -> None:
    names = grown(host, "mine")
    (given,) = host.told("write", host.wish("data", b"late"))
    actions.forget_home(home=host.server.pk, by=BY)
    before = world(storage)
    for do in DEEDS:
        assert host.ask(do, objects=names).status_code == 409
    assert world(storage) == before
    assert put(given, b"late") == 200, "the address is good for minutes; what comes by it goes with the rest"
    assert Repository.objects.get(pk=host.server.pk).handed == ""
