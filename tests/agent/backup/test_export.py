"""A mailbox as a file that others read: every message byte by byte, with its folder, its marks and its date."""

import csv
import io
import json
import mailbox
import re
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from tests.agent.backup.export_reading import ALICE, deliver, exported, file_of, read_mbox, unpacked, unquoted
from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.mailbox import Folders, seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.agent.orders import mailbox as ordered


def test_an_mbox_is_read_back_by_another_program_with_every_byte_flag_and_date(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    text = b"Subject: %d\nFrom: a@b.test\n\nHello\n>From before\nFrom the beginning\n>>From twice\n\nFrom Alice with love\n"
    for number, flags in enumerate(("S", "RS", "F", "", None, "DS", "ST", "FRS", "S", "")):
        deliver(small, text % number, ("", ".Sent", ".Archive.2025")[number % 3], flags)
    result = exported(small, "mbox")
    place = unpacked(outside, tmp_path / "out")
    assert read_mbox(place) == seen(small.home(ALICE))
    assert result == {"mailboxes": 1, "messages": 10, "skipped": 0, "bytes": file_of(outside).stat().st_size}
    assert outside.said[owner(ALICE)]["messages"] == 10


@pytest.mark.parametrize("content", [
    b"Subject: x\n\nno line's end", b"Subject: x\r\nTo: a@b.test\r\n\r\nFrom here\r\nto there\r\n", b"\n\nno header", b"", b"\n",
    b"From the first line\nSubject: x\n\nbody\n", b"Subject: x\nStatus: RO\nContent-Length: 3\nX-Keywords: evil\n\nbody\nStatus: no header\n",
    b"A: " + b"x" * 300_000 + b"\n\nFrom x\n", b"Subject: x\n\n" + b"y" * 700_000 + b"\nFrom " + b"z" * 700_000 + b"From not\n",
    b"Subject: x\n\n" + b"From a line\n" * 60_000, b"\xff\xfe\x00\n\n\x00From \n", b"no header at all",
])  # fmt: skip
def test_whatever_was_delivered_comes_back_out_of_an_mbox(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, content: bytes
) -> None:
    deliver(small, b"Subject: before\n\nbefore\n")
    deliver(small, content)
    deliver(small, b"Subject: after\n\nafter\n")
    exported(small, "mbox")
    box = mailbox.mbox(unpacked(outside, tmp_path / "out") / "mail/Inbox.mbox", create=False)
    assert len(box) == 3
    raw = unquoted(box.get_bytes(1))
    raw = re.sub(rb"\AStatus: RO\r?\n", b"", raw)
    raw = re.sub(rb"(?m)^X-Original-(?=(Status|Content-Length|X-Keywords):)", b"", raw)
    assert raw in (content, content + b"\n")
    assert [box[key]["subject"] for key in (0, 2)] == ["before", "after"]


def test_a_maildir_is_what_the_host_has_to_the_last_byte_and_date(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    small.fill(60)
    (small.home(ALICE) / "Maildir/subscriptions").write_text("V\t2\n\nSent\n")
    exported(small, "maildir")
    place = unpacked(outside, tmp_path / "out")
    assert seen(place) == seen(small.home(ALICE))
    assert (place / "Maildir/.Sent/maildirfolder").exists()
    assert (place / "Maildir/subscriptions").read_text() == "V\t2\n\nSent\n"
    box = mailbox.Maildir(place / "Maildir", create=False)
    assert sorted(box.list_folders()) == ["Archive.2025", "Sent"]
    assert len(box) == len(seen(small.home(ALICE))[""])


def test_files_are_byte_by_byte_what_arrived_in_a_tree_of_folders_with_their_dates(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    small.fill(60)
    deliver(small, b"Subject: umlaut\n\n", ".Entw&APw-rfe.a&-b", "FS")
    exported(small, "eml")
    place = unpacked(outside, tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((place / "mail/messages.csv").read_text())))
    known = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F"}
    found: Folders = {}
    for row in rows:
        file = place / row["file"]
        flags = "".join(sorted(known[word] for word in row["flags"].split()))
        message = (sha256(file.read_bytes()).hexdigest(), flags, int(file.stat().st_mtime))
        found.setdefault(file.parent.relative_to(place / "mail").as_posix(), []).append(message)
    wanted = seen(small.home(ALICE))
    names = {
        "": "Inbox",
        ".Sent": "Sent",
        ".Archive.2025": "Archive/2025",
        ".Entw&APw-rfe.a&-b": "Entwürfe/a&b",
    }
    assert {folder: sorted(messages) for folder, messages in found.items()} == {
        names[name]: messages for name, messages in wanted.items()
    }
    assert len(list(place.rglob("*.eml"))) == len(rows)


@pytest.mark.parametrize("format", ["mbox", "maildir", "eml"])
def test_what_its_owner_called_a_mail_stays_with_it(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, format: str
) -> None:
    deliver(small, b"Subject: x\n\n", flags="PSab")
    (small.home(ALICE) / "Maildir/dovecot-keywords").write_text(
        '0 $label1\n1 work\n2 two words\n3 "=evil,\n99 no\n'
    )
    exported(small, format)
    place = unpacked(outside, tmp_path / "out")
    if format == "mbox":
        assert mailbox.mbox(place / "mail/Inbox.mbox")[0]["X-Keywords"] == "$label1 work $Forwarded"
    elif format == "maildir":
        assert (place / "Maildir/dovecot-keywords").read_text() == "0 $label1\n1 work\n"
    else:
        assert "\\Seen $label1 work $Forwarded" in (place / "mail/messages.csv").read_text()


def test_settings_and_filters_are_there_to_read_and_no_password(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    small.deliver(ALICE)
    (small.home(ALICE) / "sieve").mkdir()
    (small.home(ALICE) / "sieve/holiday.sieve").write_text('require "vacation";')
    (small.home(ALICE) / ".dovecot.sieve").symlink_to("sieve/holiday.sieve")
    exported(small, "mbox")
    place = unpacked(outside, tmp_path / "out")
    said = json.loads((place / "settings.json").read_text())
    assert (said["address"], said["active_filter"]) == (ALICE, "holiday")
    assert said["quota_bytes"] == ordered(ALICE)["quota"]
    assert (place / "sieve/holiday.sieve").read_text() == 'require "vacation";'
    text = (place / "settings.txt").read_text() + (place / "settings.json").read_text()
    assert f"Address: {ALICE}" in text
    for secret in re.findall(r"\{[A-Z0-9-]+\}\S+", json.dumps(ordered(ALICE))):
        assert secret not in text
    assert "in use is holiday" in (place / "README.txt").read_text()


def test_a_mailbox_that_never_got_mail_is_exported_with_its_settings(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    for format in ("mbox", "maildir", "eml"):
        outside.ready.clear()
        assert exported(small, format)["messages"] == 0
        assert (unpacked(outside, tmp_path / format) / "settings.txt").exists()


@pytest.mark.usefixtures("restic")
def test_all_mailboxes_are_one_file_each(small: SmallHost, outside: ExportStorage, tmp_path: Path) -> None:
    small.fill(90)
    said = small.do("export", format="mbox")
    assert (said["result"]["mailboxes"], said["result"]["messages"]) == (3, 90)
    for address in PEOPLE:
        place = unpacked(outside, tmp_path / address, address)
        assert {name: len(found) for name, found in read_mbox(place).items()} == {
            name: len(found) for name, found in seen(small.home(address)).items()
        }


@pytest.mark.usefixtures("restic")
def test_what_is_asked_in_no_known_form_or_of_nobody_fails_with_a_word(small: SmallHost) -> None:
    assert small.do("export", format="pst")["why"] == "this agent does not know this format"
    assert small.do("export")["why"] == "this agent does not know this format"
    assert small.do("export", format="mbox", mailbox=str(uuid4()))["why"] == "this mailbox is not served"
