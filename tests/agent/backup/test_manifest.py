"""A manifest says of each folder what is in it, so that nothing that a mail program would see can change unnoticed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.backup import manifest, staging
from tests.agent.backup.small_host import SmallHost, owner
from tests.agent.backup.storage import Storage

ALICE = "alice@firm.test"


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    small = SmallHost(tmp_path / "host", storage)
    small.fill(30)
    staging.stage(small.places)
    return small


def of(small: SmallHost) -> manifest.Said:
    return manifest.of(small.places.tree, None)


def first(small: SmallHost) -> Path:
    """One of Alice's sent messages, copied so that the live one stays."""
    home = small.places.tree / small.home(ALICE).relative_to(small.places.mail.parent)
    path = min((home / "Maildir/.Sent/cur").iterdir())
    raw, about = path.read_bytes(), path.stat()
    path.unlink()
    path.write_bytes(raw)
    os.utime(path, ns=(about.st_mtime_ns, about.st_mtime_ns))
    return path


def rewrite(path: Path) -> None:
    before = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(before, before))


CHANGES: dict[str, Callable[[Path], Any]] = {
    "deleted": Path.unlink,
    "a byte": rewrite,
    "its flags": lambda path: path.rename(f"{path}T"),
    "its date": lambda path: os.utime(path, (1, 1)),
    "its folder": lambda path: path.rename(path.parents[2] / ".Archive.2025/cur" / path.name),
    "twice": lambda path: shutil.copy2(path, path.with_name("2.copy:2,S")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_of_a_message_goes_unnoticed(small: SmallHost, change: str) -> None:
    before = of(small)
    path = first(small)
    assert manifest.differences(before, of(small)) == []

    CHANGES[change](path)

    told = manifest.differences(before, of(small))
    assert ALICE in {one["address"] for one in told}
    assert ".Sent" in {one["folder"] for one in told}


def test_new_and_seen_is_no_difference_for_who_reads_mail(small: SmallHost) -> None:
    before = of(small)
    path = first(small)

    path.rename(path.with_name(f"other-name:2,{path.name.partition(':2,')[2]}"))

    assert manifest.differences(before, of(small)) == []


def test_a_key_that_is_another_is_told(small: SmallHost) -> None:
    before = of(small)
    (small.places.tree / "state/dkim/firm.test.key").write_text("another")

    assert manifest.differences(before, of(small)) == [
        {"file": "state/dkim/firm.test.key", "why": "other bytes"}
    ]


def test_counts_are_by_mailbox_and_folder(small: SmallHost) -> None:
    said = of(small)

    assert manifest.counted(said)[:2] == (3, 30)
    box = said["mailboxes"][owner(ALICE)]
    assert box["address"] == ALICE
    assert sum(folder["messages"] for folder in box["folders"].values()) == 10


def test_a_message_is_read_once_and_not_at_each_backup(
    small: SmallHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = manifest._digest
    monkeypatch.setattr(manifest, "_digest", lambda name, within: read.append(name) or digest(name, within))  # type: ignore[func-returns-value]
    cache = small.places.cache / manifest.HASHES

    one = manifest.of(small.places.tree, cache)
    assert len(read) == 30
    small.deliver(ALICE)
    staging.stage(small.places)
    two = manifest.of(small.places.tree, cache)

    assert len(read) == 31
    assert manifest.counted(two)[1] == manifest.counted(one)[1] + 1
    assert manifest.of(small.places.tree, None)["mailboxes"] == two["mailboxes"]


def test_a_damaged_cache_costs_only_time(small: SmallHost) -> None:
    cache = small.places.cache / manifest.HASHES
    cache.write_bytes(b"SQLite format 3\0 and nothing sensible")

    assert manifest.of(small.places.tree, cache)["mailboxes"] == of(small)["mailboxes"]
