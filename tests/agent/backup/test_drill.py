"""A drill restores the newest point from the storage alone, and tells of whatever is not as it was."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.backup.small_host import SmallHost
from tests.agent.backup.storage import Storage

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("restic")]

Damage = Callable[[Path], object]


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(raw)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def swap(path: Path) -> None:
    """Another server's object lies there, whole and as long."""
    path.write_bytes(os.urandom(path.stat().st_size))


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    """Alice's mail is in the first pack, Bob's in a later one, and there is an older point."""
    small = SmallHost(tmp_path / "host", storage)
    small.fill(100, people=("alice",))
    small.backup()
    return small


def add_bobs(small: SmallHost, storage: Storage) -> Path:
    """Bob's mail is backed up; the pack that has it."""
    before = set(storage.names("data"))
    small.fill(100, people=("bob",))
    small.backup()
    new = set(storage.names("data")) - before
    return max((storage.place("data", name) for name in new), key=lambda path: path.stat().st_size)


def test_a_drill_restores_everything_and_leaves_nothing(small: SmallHost, storage: Storage) -> None:
    add_bobs(small, storage)

    said = small.do("drill")

    result = said["result"]
    assert (said["state"], said["why"], result["differ"]) == ("done", "", [])
    assert (result["mailboxes"], result["messages"]) == (2, 200)
    assert result["bytes"] > 200 * 2000
    assert result["seconds"] > 0
    assert not list(small.places.scratch.iterdir())
    assert storage.names("locks") == []


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink, swap])
def test_what_is_damaged_in_the_storage_fails_the_drill_and_is_named(
    small: SmallHost, storage: Storage, damage: Damage
) -> None:
    pack = add_bobs(small, storage)
    damage(pack)

    said = small.do("drill")

    assert said["state"] == "failed"
    assert said["why"].startswith("bob@firm.test, folder ")
    assert {one["address"] for one in said["result"]["differ"]} == {"bob@firm.test"}
    assert not list(small.places.scratch.iterdir())


@pytest.mark.parametrize("kind", ["index", "snapshots"])
@pytest.mark.parametrize("damage", [flip, truncate, swap])
def test_a_damaged_list_fails_the_drill_too(
    small: SmallHost, storage: Storage, kind: str, damage: Damage
) -> None:
    add_bobs(small, storage)
    for name in storage.names(kind):
        damage(storage.place(kind, name))

    said = small.do("drill")

    assert said["state"] == "failed"
    assert said["why"]


def test_a_pack_that_only_an_older_point_needs_is_missed_as_well(small: SmallHost, storage: Storage) -> None:
    small.fill(50, people=("charlie",))
    before = set(storage.names("data"))
    small.backup()
    only_theirs = set(storage.names("data")) - before
    for path in (small.places.mail / "firm.test/charlie").rglob("*"):
        if path.is_file():
            path.unlink()
    small.backup()
    max((storage.place("data", name) for name in only_theirs), key=lambda path: path.stat().st_size).unlink()

    said = small.do("drill")

    assert said["state"] == "failed"
    assert said["why"].startswith("the repository is damaged")


def test_mail_that_moves_during_a_drill_is_no_difference(small: SmallHost, storage: Storage) -> None:
    add_bobs(small, storage)
    small.fill(10)

    assert small.do("drill")["state"] == "done"


def test_a_disk_without_room_for_all_is_drilled_a_mailbox_at_a_time(
    small: SmallHost, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = add_bobs(small, storage)
    monkeypatch.setattr("agent.mailat_agent.backup.scratch.has_room", lambda target, size: size < 800_000)
    assert small.do("drill")["state"] == "done"

    flip(pack)

    assert small.do("drill")["why"].startswith("bob@firm.test")
