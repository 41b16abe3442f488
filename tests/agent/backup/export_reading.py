"""Exporting a small host's mail, and what others make of the files."""

import calendar
import mailbox
import os
import re
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from agent.mailat_agent.backup import run
from agent.mailat_agent.backup.export import Export
from agent.mailat_agent.backup.state import State
from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.mailbox import Folders
from tests.agent.backup.small_host import SmallHost, owner

ALICE = "alice@firm.test"


def exported(small: SmallHost, format: str, address: str = ALICE) -> dict[str, Any]:
    """Without restic's part of a job, which takes seconds."""
    chore = small.chore(
        jobs=[{"id": str(uuid4()), "do": "export", "format": format, "mailbox": owner(address)}]
    )
    assert chore.wanted
    with run.alone(small.places) as lock:
        assert lock
        state = State.read(small.places.own)
        with run.opened(small.host, chore.wanted, state, lock, lambda *_: None) as repository:
            export = Export(repository, chore.situation, chore.home_of, lambda: None)
            return export.run(chore.wanted.jobs[0])


def file_of(outside: ExportStorage, address: str = ALICE) -> Path:
    return outside.ready[owner(address)]


def unpacked(outside: ExportStorage, place: Path, address: str = ALICE) -> Path:
    """By the program that people have, which also proves that it is sound."""
    place.mkdir(parents=True)
    subprocess.run(["unzip", "-q", "-o", str(file_of(outside, address)), "-d", str(place)], check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=place, check=True)
    return place


def deliver(small: SmallHost, content: bytes, folder: str = "", flags: str | None = "S") -> Path:
    path = small.deliver(ALICE, folder, flags)
    about = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    return path


def unquoted(content: bytes) -> bytes:
    """As readers of mboxrd take it."""
    return re.sub(rb"(?m)^>(>*From )", rb"\1", content)


def read_mbox(place: Path) -> Folders:
    """What Python's reader finds, as a mail program would see it: bytes, flags and date."""
    found: Folders = {}
    for path in sorted((place / "mail").rglob("*.mbox")):
        box = mailbox.mbox(path, create=False)
        parts = path.relative_to(place / "mail").with_suffix("").parts
        folder = "" if parts == ("Inbox",) else "." + ".".join(parts)
        found[folder] = sorted(_message(box, key) for key in box.iterkeys())
        box.close()
    return {folder: messages for folder, messages in found.items() if messages}


def _message(box: mailbox.mbox, key: Any) -> tuple[str, str, int]:
    raw = box.get_bytes(key)
    letters = {"R": "S", "A": "R", "F": "F", "T": "D", "D": "T"}  # of mbox and of Maildir
    flags = "".join(sorted(letters[one] for one in box.get_message(key).get_flags() if one != "O"))
    original = re.sub(rb"(?m)\A(?:(?:Status|X-Status|X-Keywords): [^\n]*\n)*", b"", raw)
    when = box.get_message(key).get_from().split(" ", 1)[1]
    return sha256(unquoted(original)).hexdigest(), flags, calendar.timegm(time.strptime(when))
