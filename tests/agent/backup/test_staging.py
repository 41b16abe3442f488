"""What is staged is what was there at one moment, however much mail moves meanwhile."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.backup import maildir, staging
from agent.mailat_agent.backup.maildir import Shadow
from tests.agent.backup.small_host import SmallHost, meanwhile, owner
from tests.agent.backup.storage import Storage

ALICE = "alice@firm.test"


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    return SmallHost(tmp_path / "host", storage)


def staged(small: SmallHost, address: str = ALICE) -> Path:
    return small.places.tree / small.home(address).relative_to(small.places.mail.parent)


def messages(home: Path) -> dict[int, list[str]]:
    """Where each message's file is, by what it is to the file system."""
    found: dict[int, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.parent.name in ("cur", "new"):
            found.setdefault(path.stat().st_ino, []).append(path.relative_to(home).as_posix())
    return found


def test_all_messages_are_there_with_their_flags_and_folders(small: SmallHost) -> None:
    small.fill(300)

    assert staging.stage(small.places) == []

    for address in ("alice@firm.test", "bob@firm.test", "charlie@firm.test"):
        assert messages(staged(small, address)) == messages(small.home(address))


def test_it_follows_what_was_read_moved_delivered_and_deleted(small: SmallHost) -> None:
    fresh = small.deliver(ALICE, flags=None)
    moved, deleted = small.deliver(ALICE), small.deliver(ALICE, ".Old.Things")
    staging.stage(small.places)

    fresh.rename(fresh.parent.parent / "cur" / f"{fresh.name}:2,S")
    small.deliver(ALICE, ".Sent")
    moved.rename(small.home(ALICE) / "Maildir/.Sent/cur" / moved.name)
    deleted.unlink()
    for half in ("cur", "new", "tmp", ""):
        (deleted.parent.parent / half).rmdir()
    staging.stage(small.places)

    assert messages(staged(small)) == messages(small.home(ALICE))
    assert not (staged(small) / "Maildir/.Old.Things").exists()


def test_nothing_is_lost_or_doubled_in_a_mailbox_that_never_rests(
    small: SmallHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever moves them is faster than we link, so that each round misses about half of them."""
    monkeypatch.setattr(maildir, "LOOKS", 5)
    link = os.link

    def slow(*args: Any, **where: Any) -> None:
        time.sleep(50e-6)
        link(*args, **where)

    monkeypatch.setattr(os, "link", slow)
    small.fill(100, people=("alice",))
    home = small.home(ALICE) / "Maildir"
    before = set(messages(small.home(ALICE)))
    places = [home / folder / half for folder in ("", ".Sent", ".Archive.2025") for half in ("cur", "new")]

    def move() -> None:
        for path in [path for place in places for path in place.iterdir()]:
            target = places[small.random.randrange(6)]
            flags = ":2,S" if target.name == "cur" and path.name.endswith(":2,") else ":2,"
            path.rename(target / (path.name.partition(":")[0] + (flags if target.name == "cur" else "")))

    with meanwhile(move):
        for _ in range(3):
            staging.stage(small.places)
            found = messages(staged(small))
            assert set(found) == before
            assert all(len(names) == 1 for names in found.values())


def test_a_message_that_is_only_read_meanwhile_is_not_missed(small: SmallHost) -> None:
    """A directory at a time would miss it: cur was read before it came there, new after it had left."""
    fresh = small.deliver(ALICE, flags=None)
    shadow = Shadow(small.home(ALICE), staged(small))
    shadow._mirror(("", "cur"))
    seen = fresh.rename(fresh.parent.parent / "cur" / f"{fresh.name}:2,S")
    shadow._mirror(("", "new"))
    assert messages(staged(small)) == {}

    assert shadow.follow()

    assert messages(staged(small)) == {seen.stat().st_ino: [f"Maildir/cur/{seen.name}"]}


def test_what_dovecot_knows_of_messages_is_copied_and_not_shared(small: SmallHost) -> None:
    small.deliver(ALICE)
    known = small.home(ALICE) / "Maildir/dovecot-uidlist"
    known.write_text("3 V1700000000 N2\n1 :one\n")
    (small.home(ALICE) / "Maildir/dovecot.index.cache").write_text("made anew by itself")
    (small.home(ALICE) / "Maildir/tmp/half").write_text("a message on its way")
    staging.stage(small.places)
    copy = staged(small) / "Maildir/dovecot-uidlist"
    assert copy.read_text() == known.read_text()
    assert not copy.samefile(known)
    assert not (staged(small) / "Maildir/dovecot.index.cache").exists()
    assert not (staged(small) / "Maildir/tmp").exists()

    with known.open("a") as file:
        file.write("2 :two\n")
    staging.stage(small.places)

    assert copy.read_text() == known.read_text()


def test_scripts_come_with_the_link_to_the_one_in_force(small: SmallHost) -> None:
    small.deliver(ALICE)
    (small.home(ALICE) / "sieve").mkdir()
    (small.home(ALICE) / "sieve/away.sieve").write_text("keep;")
    (small.home(ALICE) / ".dovecot.sieve").symlink_to("sieve/away.sieve")

    staging.stage(small.places)

    assert os.readlink(staged(small) / ".dovecot.sieve") == "sieve/away.sieve"
    assert (staged(small) / ".dovecot.sieve").read_text() == "keep;"


def test_no_link_in_the_store_leads_out_of_it(small: SmallHost, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    (secret / "cur").mkdir(parents=True)
    (secret / "cur/1:2,S").write_text("of the system")
    small.deliver(ALICE)
    (small.home(ALICE) / "Maildir/cur/2:2,S").symlink_to(secret / "cur/1:2,S")
    (small.home(ALICE) / "Maildir/.Linked").symlink_to(secret)
    (small.places.mail / "firm.test/mallory").symlink_to(secret)

    staging.stage(small.places)

    assert len(messages(staged(small))) == 1
    copied = [path for path in small.places.tree.rglob("*") if path.is_file()]
    assert not [path for path in copied if b"of the system" in path.read_bytes()]


def test_a_database_is_copied_whole_while_others_write_it(small: SmallHost) -> None:
    path = small.places.home / "roundcube/data/roundcube.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("CREATE TABLE pair (a INTEGER, b INTEGER)")
    live = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)

    def write() -> None:
        live.execute("BEGIN")
        live.execute("INSERT INTO pair SELECT COUNT(*), 0 FROM pair")
        live.execute("UPDATE pair SET b = a")
        live.execute("COMMIT")

    with meanwhile(write):
        for _ in range(5):
            staging.stage(small.places)
            with closing(sqlite3.connect(small.places.tree / "state/roundcube/data/roundcube.db")) as rows:
                assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert rows.execute("SELECT COUNT(*) FROM pair WHERE a <> b").fetchone() == (0,)
    live.close()


def test_what_the_host_makes_anew_is_left_out_and_keys_are_not(small: SmallHost) -> None:
    home = small.places.home
    for name in ("generations/7/postfix", "packages", "dkim"):
        (home / name).mkdir(parents=True, exist_ok=True)
        (home / name / "file").write_text("x")
    (home / "running.json").write_text("{}")
    (small.places.state / "desired.json").write_text('{"version": 7}')

    staging.stage(small.places)

    state = small.places.tree / "state"
    assert {path.relative_to(state).as_posix() for path in state.rglob("*") if path.is_file()} == {
        "dkim/file",
        "dkim/firm.test.key",
        "desired.json",
    }


def test_the_canarys_mailbox_is_nobodys(small: SmallHost) -> None:
    (small.places.mail / "host.test/canary/service/Maildir/cur").mkdir(parents=True)

    staging.stage(small.places)

    assert staging.homes(small.places.tree) == []


def test_of_a_mailbox_that_is_erased_nothing_stays(small: SmallHost) -> None:
    small.deliver(ALICE)
    small.deliver("bob@firm.test")
    staging.stage(small.places)

    staging.forget(small.places, {owner(ALICE)})

    assert not staged(small).exists()
    assert messages(staged(small, "bob@firm.test"))


def test_killed_anywhere_the_next_staging_ends_right(small: SmallHost) -> None:
    small.fill(30)
    staging.stage(small.places)
    tree = small.places.tree
    (tree / "state.new").mkdir()
    (tree / "state.new/half").write_text("x")
    (staged(small) / "Maildir/cur/of-nothing:2,S").write_text("x")
    staging._remove(tree / "state")

    staging.stage(small.places)

    assert messages(staged(small)) == messages(small.home(ALICE))
    assert (tree / "state/dkim/firm.test.key").exists()
    assert not (tree / "state.new").exists()
