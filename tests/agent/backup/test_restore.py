"""What was backed up comes back, by the real restic over the protocol: a mailbox, a folder, everything on new hardware."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.backup.points import told as told_of
from agent.mailat_agent.backup.restic import Restic
from agent.mailat_agent.backup.state import State
from tests.agent.backup.mailbox import inside, seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.agent.backup.storage import Storage
from vault.sealing import seal_to

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("restic")]

ALICE, BOB, _CHARLIE = PEOPLE


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    small = SmallHost(tmp_path / "host", storage)
    small.fill(2000)
    return small


def points(small: SmallHost) -> list[str]:
    with small.repository() as repository:
        return [point.id for point in repository.points()]


def test_two_thousand_messages_come_back_by_hash_flags_dates_and_folders(
    small: SmallHost, storage: Storage, tmp_path: Path
) -> None:
    small.backup()
    whole, first = storage.bytes(), {address: seen(small.home(address)) for address in PEOPLE}
    for path in sorted((small.home(ALICE) / "Maildir").rglob("*:2,S"))[:10]:
        path.rename(path.with_name(path.name.replace(":2,S", ":2,FS")))
    for number in range(10):
        small.deliver(ALICE, ".Sent")
        sorted((small.home(BOB) / "Maildir/.Sent/cur").iterdir())[number].unlink()
    small.backup()
    second = {address: seen(small.home(address)) for address in PEOPLE}
    assert second != first
    assert storage.bytes() - whole < whole / 10

    for state, point in zip((first, second), points(small), strict=True):
        with small.repository() as repository:
            target = tmp_path / f"out-{point[:8]}"
            repository.restic.run("restore", f"{point}:/mail/firm.test", "--target", str(target))
        found = {address: seen(target / address.partition("@")[0] / owner(address)) for address in PEOPLE}
        assert found == state


def test_a_deleted_mailbox_comes_back_beside_new_mail(small: SmallHost) -> None:
    small.backup()
    before = seen(small.home(ALICE))
    shutil.rmtree(small.home(ALICE))
    small.deliver(ALICE)
    new = seen(small.home(ALICE))

    said = small.do("restore", mailbox=owner(ALICE))

    now = seen(small.home(ALICE))
    root = f".{said['result']['folder']}"
    assert said["state"] == "done"
    assert said["result"]["messages"] == sum(map(len, before.values()))
    assert inside(now, root) == before
    assert {name: found for name, found in now.items() if not name.startswith(root)} == new
    assert not list(small.places.scratch.iterdir())


def test_a_mailbox_that_never_got_mail_again_gets_its_place(small: SmallHost) -> None:
    small.backup()
    before = seen(small.home(ALICE))
    shutil.rmtree(small.home(ALICE).parent)

    said = small.do("restore", mailbox=owner(ALICE))

    assert inside(seen(small.home(ALICE)), f".{said['result']['folder']}") == before


def test_one_folder_comes_back_alone_and_goes_again(small: SmallHost) -> None:
    small.backup()
    before = seen(small.home(BOB))

    said = small.do("restore", mailbox=owner(BOB), folder=".Sent", point=points(small)[0])
    now = seen(small.home(BOB))
    assert inside(now, f".{said['result']['folder']}") == {".Sent": before[".Sent"]}
    assert {name: now[name] for name in before} == before

    again = small.do("restore", mailbox=owner(BOB), folder="")
    inbox = f".{again['result']['folder']}"
    assert seen(small.home(BOB))[inbox] == before[""]
    assert again["result"]["folder"] != said["result"]["folder"]

    for restored in (said, again):
        assert small.do("restore", undo=restored["job"])["state"] == "done"
    assert seen(small.home(BOB)) == before
    assert small.do("restore", undo=said["job"])["why"] == "nothing is known of this restore any more"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"mailbox": owner("stella@firm.test")}, "this mailbox is not in the restore point"),
        ({"mailbox": owner(ALICE), "folder": ".Nothing"}, "this folder is not in the restore point"),
        ({"mailbox": owner(ALICE), "point": "0" * 64}, "there is no such restore point"),
    ],
)
def test_what_is_not_there_cannot_come_back(small: SmallHost, args: dict[str, str], why: str) -> None:
    small.backup()
    before = seen(small.home(ALICE))

    said = small.do("restore", **args)

    assert (said["state"], said["why"]) == ("failed", why)
    assert seen(small.home(ALICE)) == before


def test_a_mailbox_that_is_not_served_gets_nothing(small: SmallHost) -> None:
    small.backup()

    said = small.do("restore", BOB, mailbox=owner(ALICE))

    assert said["state"] == "failed"
    assert "not served" in said["why"]


def test_root_follows_no_link_that_lies_in_the_store(small: SmallHost, tmp_path: Path) -> None:
    small.backup()
    (tmp_path / "etc").mkdir()
    (small.home(ALICE) / "Maildir").rename(small.home(ALICE) / "aside")
    (small.home(ALICE) / "Maildir").symlink_to(tmp_path / "etc")

    for args in ({"mailbox": owner(ALICE)}, {}):
        assert small.do("restore", **args)["why"] == "the mailbox' directory is a link"
    assert not list((tmp_path / "etc").iterdir())


def test_a_look_tells_counts_and_dates_before_anything_is_restored(small: SmallHost) -> None:
    small.backup()
    small.deliver(ALICE)

    boxes = small.do("look")["result"]["mailboxes"]
    folders = small.do("look", mailbox=owner(ALICE))["result"]["folders"]

    assert {box["address"]: box["messages"] for box in boxes} == {ALICE: 667, BOB: 667, PEOPLE[2]: 666}
    assert sum(folder["messages"] for folder in folders) == 667
    assert max(folder["newest"] for folder in folders) == 1_700_001_999


def new_hardware(small: SmallHost, storage: Storage, tmp_path: Path) -> SmallHost:
    """Another machine for the same server: nothing but its order, which has the password, sealed to its own key."""
    password = (small.places.own / "password").read_text().strip()
    new = SmallHost(tmp_path / "new", storage)
    public = new.public()
    new.handed = seal_to(public, b"mailat-backup-v1\n" + small.host.server.encode(), password)
    (new.places.home / "dkim/firm.test.key").write_text("made before the old one came")
    return new


def test_everything_comes_back_on_new_hardware_and_mail_that_came_meanwhile_stays(
    small: SmallHost, storage: Storage, tmp_path: Path
) -> None:
    (small.home(ALICE) / "Maildir/dovecot-uidlist").write_text("3 V1700000000 N2000\n")
    (small.home(ALICE) / ".dovecot.sieve").symlink_to("sieve/away.sieve")
    database = small.places.home / "roundcube/data/roundcube.db"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as rows, rows:
        rows.execute("CREATE TABLE contacts (name TEXT)")
        rows.execute("INSERT INTO contacts VALUES ('Bob')")
    small.backup()
    before = {address: seen(small.home(address)) for address in PEOPLE}
    new = new_hardware(small, storage, tmp_path)
    (new.places.home / "roundcube/data").mkdir(parents=True)
    came = new.deliver(BOB)

    said = new.do("restore")

    assert (said["state"], said["why"]) == ("done", "")
    assert seen(new.home(ALICE)) == before[ALICE]
    assert (new.home(ALICE) / "Maildir/dovecot-uidlist").read_text() == "3 V1700000000 N2000\n"
    assert (new.home(ALICE) / ".dovecot.sieve").is_symlink()
    assert sum(map(len, seen(new.home(BOB)).values())) == sum(map(len, before[BOB].values())) + 1
    assert came.exists()
    assert (new.places.home / "dkim/firm.test.key").read_text() == "the key of firm.test"
    with closing(sqlite3.connect(new.places.home / "roundcube/data/roundcube.db")) as rows:
        assert rows.execute("SELECT name FROM contacts").fetchall() == [("Bob",)]
    assert new.told == ["changed"]

    assert new.do("restore")["state"] == "done"
    assert seen(new.home(ALICE)) == before[ALICE]
    new.backup()
    assert len(points(new)) == 2


def test_new_hardware_that_is_told_of_a_point_does_not_ask_restic(
    small: SmallHost, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.backup()
    small.backup()
    told = [told_of(one) for one in State.read(small.places.own).points]
    new = new_hardware(small, storage, tmp_path)
    asked: list[str] = []
    start = Restic._start

    def seen_start(self: Restic, arguments: list[str], *rest: Any) -> Any:
        asked.append(arguments[0])
        return start(self, arguments, *rest)

    monkeypatch.setattr(Restic, "_start", seen_start)
    said = new.do("restore", point=told[1]["id"], known=told)
    assert (said["state"], said["why"], asked) == ("done", "", ["restore"])
    assert seen(new.home(ALICE)) == seen(small.home(ALICE))

    false = [{**told[1], "manifest": "0" * 64}]
    said = new.do("restore", point=told[1]["id"], known=false)
    assert (said["state"], "not the one that was made" in said["why"]) == ("failed", True)
    said = new.do("restore", point="0" * 64, known=[{**told[1], "id": "0" * 64}])
    assert (said["state"], said["why"]) == ("failed", "there is no such restore point")


def test_without_the_password_new_hardware_makes_no_second_repository(
    small: SmallHost, storage: Storage, tmp_path: Path
) -> None:
    small.backup()
    new = SmallHost(tmp_path / "new", storage)

    assert new.do("restore")["why"] == "the repository's password is not known on this host"
    assert not (new.places.own / "password").exists()
