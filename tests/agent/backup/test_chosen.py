"""Messages that are chosen by date and by words come back alone; their headers were written by anybody."""

import os
import shutil
from pathlib import Path

import pytest

from agent.mailat_agent.backup import chosen
from agent.mailat_agent.backup.chosen import Chosen, decoded, keep
from tests.agent.backup.mailbox import inside, seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.agent.backup.storage import Storage

ALICE, BOB, _CHARLIE = PEOPLE
NOON = 1_700_000_000


def lie(folder: Path, head: str | bytes, name: str = "1", at: float = NOON) -> Path:
    path = folder / "cur" / f"{name}:2,S"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((head.encode() if isinstance(head, str) else head) + b"\n\nSubject: not this one\n")
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        ("Subject: Invoice 2025-11", {"subject": "invoice"}),
        ("SUBJECT:Invoice", {"subject": "  INVOICE "}),
        ("Subject: the\n invoice of\r\n\tNovember", {"subject": "november invoice"}),
        ("Subject: =?utf-8?B?UmVjaG51bmcgZsO8ciBNw6Ryeg==?=", {"subject": "für märz"}),
        ("Subject: =?ISO-8859-1?Q?Rechnung_f=FCr_M=E4rz?=", {"subject": "Rechnung FÜR"}),
        ("Subject: =?utf-8?q?Rech?=\n =?utf-8?q?nung?=", {"subject": "rechnung"}),
        ("Subject: =?utf-8?B?w?=\n =?utf-8?B?w7w=?= rest", {"subject": "rest"}),
        ("Subject: =?utf-8?q?f=C3?= =?utf-8?q?=BCr?=", {"subject": "für"}),
        ("Subject: Rechnung für März".encode(), {"subject": "für"}),
        ("Subject: Rechnung für März".encode("latin-1"), {"subject": "märz"}),
        ("Subject: Straße", {"subject": "STRASSE"}),
        ("Subject: fu\u0308r", {"subject": "für"}),
        ("From: =?utf-8?q?J=C3=B6rg?= <joerg@firm.test>", {"from": "jörg firm.test"}),
        ("Sender: desk@firm.test\nFrom: x@y.test", {"from": "desk"}),
        ("To: a@x.test,\n b@x.test\nCc: carol@x.test", {"to": "carol"}),
        ("Bcc: dave@x.test", {"to": "dave"}),
        ("To: a@x.test\nTo: erin@x.test", {"to": "erin"}),
        ("Subject: a\nFrom: b\nTo: c", {"subject": "a", "from": "b", "to": "c"}),
    ],
)
def test_a_message_is_found_by_what_its_header_says(
    tmp_path: Path, head: str | bytes, asked: dict[str, str]
) -> None:
    lie(tmp_path, head)
    words = {"sender": asked.get("from", ""), "subject": asked.get("subject", ""), "to": asked.get("to", "")}
    assert keep(Chosen(**words), tmp_path)[0] == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"subject": "invoice receipt"},
        {"sender": "invoice"},
        {"to": "alice"},
        {"subject": "not this one"},
        {"subject": "invoice", "to": "bob"},
        {"since": NOON + 1},
        {"before": NOON},
    ],
    ids=str,
)
def test_what_does_not_say_all_of_it_is_not_brought(tmp_path: Path, asked: dict[str, str]) -> None:
    path = lie(tmp_path, "Subject: invoice\nX-To: alice@x.test")
    assert keep(Chosen(**asked), tmp_path) == (0, 0)
    assert not path.exists()


def test_dates_are_those_at_which_messages_came(tmp_path: Path) -> None:
    for n in range(4):
        lie(tmp_path, "Date: Thu, 1 Jan 1970 00:00:00 +0000", str(n), NOON + n)
    assert keep(Chosen(since=NOON + 1, before=NOON + 3), tmp_path)[0] == 2
    assert sorted(path.name for path in (tmp_path / "cur").iterdir()) == ["1:2,S", "2:2,S"]


def test_nothing_is_read_beyond_the_longest_header(tmp_path: Path) -> None:
    lie(tmp_path, "X: " + "x" * chosen.LONGEST_HEAD + "\nSubject: invoice")
    assert keep(Chosen(subject="invoice"), tmp_path)[0] == 0


def test_what_is_no_message_is_neither_followed_nor_kept(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.write_text("Subject: invoice\n\n")
    lie(folder, "Subject: invoice")
    (folder / "cur/link:2,S").symlink_to(secret)
    os.mkfifo(folder / "cur/pipe:2,S")
    (folder / "new").symlink_to(tmp_path)

    assert keep(Chosen(subject="invoice"), folder)[0] == 1
    assert [path.name for path in (folder / "cur").iterdir()] == ["1:2,S"]
    assert secret.exists()


@pytest.mark.parametrize(
    "wild",
    [
        "=?utf-8?B?" + "=?" * 30_000,
        "=?a?q?x" * 9_000,
        "=?" * 32_000,
        "=?undefined?q?a?=",
        "=?hex?q?zz?=",
        "=?no-such?b?!!!!?=",
        "=?utf-8?b?AAAA\0?=",
        "=?idna?q?xn--=ff?=",
        "=?punycode?q?a-=ff=ff?=",
        "=?utf-7?q?+AAA?=",
        "=?unicode_escape?q?=5Cud800?=",
        "\ud800",
        "?=" * 32_000,
    ],
    ids=lambda wild: wild[:24].encode("ascii", "backslashreplace").decode(),
)
def test_no_header_whatever_breaks_it(tmp_path: Path, wild: str) -> None:
    assert isinstance(decoded(wild), str)
    lie(tmp_path, b"Subject: " + wild.encode("utf-8", "replace") + b" tail")
    keep(Chosen(subject="tail"), tmp_path)


@pytest.fixture
def small(tmp_path: Path, storage: Storage) -> SmallHost:
    small = SmallHost(tmp_path / "host", storage)
    small.fill(300)
    return small


@pytest.mark.integration
@pytest.mark.usefixtures("restic")
def test_the_chosen_come_back_alone_and_go_again(small: SmallHost) -> None:
    small.backup()
    before = seen(small.home(BOB))
    paths = sorted((small.home(BOB) / "Maildir").rglob("*.host*"), key=lambda path: path.stat().st_mtime)
    dates = [int(path.stat().st_mtime) for path in paths]
    asked = {"since": dates[10], "before": dates[40], "from": "", "subject": "", "to": ""}

    said = small.do("restore", mailbox=owner(BOB), chosen=asked)

    assert (said["state"], said["result"]["messages"]) == ("done", 30)
    found = inside(seen(small.home(BOB)), f".{said['result']['folder']}")
    assert found == {
        folder: some for folder, all_ in before.items() if (some := [m for m in all_ if m[2] in dates[10:40]])
    }
    assert said["result"]["bytes"] == sum(path.stat().st_size for path in paths[10:40])
    assert small.do("restore", undo=said["job"])["state"] == "done"
    assert seen(small.home(BOB)) == before
    assert not list(small.places.scratch.iterdir())


@pytest.mark.integration
@pytest.mark.usefixtures("restic")
def test_words_choose_within_a_folder_and_none_found_is_said_plainly(small: SmallHost) -> None:
    wanted = small.deliver(ALICE, ".Sent")
    wanted.write_bytes(b"Subject: =?utf-8?q?Rechnung_M=C3=A4rz?=\nTo: bob@firm.test\n\nx")
    small.backup()
    before = seen(small.home(ALICE))

    said = small.do("restore", mailbox=owner(ALICE), folder=".Sent", chosen={"subject": "märz", "to": "bob"})
    found = inside(seen(small.home(ALICE)), f".{said['result']['folder']}")
    assert [len(messages) for messages in found.values()] == [1]
    assert small.do("restore", undo=said["job"])["result"] == {"folders": 1}

    none = small.do("restore", mailbox=owner(ALICE), chosen={"subject": "nobody wrote this"})
    assert (none["state"], none["result"]["messages"], none["result"]["folder"]) == ("done", 0, "")
    assert none["result"]["says"] == "No message in this restore point is like that."
    assert seen(small.home(ALICE)) == before


@pytest.mark.integration
@pytest.mark.usefixtures("restic")
def test_a_deleted_mailbox_comes_back_into_the_one_that_was_made_anew(small: SmallHost) -> None:
    small.backup()
    before = seen(small.home(ALICE))
    shutil.rmtree(small.home(ALICE).parent)

    said = small.do("restore", BOB, mailbox=owner(ALICE), into=owner(BOB))

    assert said["state"] == "done"
    assert inside(seen(small.home(BOB)), f".{said['result']['folder']}") == before
    assert not small.home(ALICE).exists()
    assert small.do("restore", BOB, undo=said["job"])["state"] == "done"
    assert inside(seen(small.home(BOB)), ".Restored") == {}
