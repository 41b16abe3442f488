"""What a restore point has, said so that a restore can be compared with it: by mailbox and folder, counts and a hash."""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..mail.addresses import local_part
from ..mail.patterns import ID
from .maildir import HALVES, MAILDIR, opened
from .staging import MAIL, STATE, Home, homes

FILE, FORMAT = "manifest.json", 1
HASHES = "hashes.db"  # in the cache: so that a message is read once and not at each backup
CHUNK = 1024 * 1024

Said = dict[str, Any]


class Hashes:
    """The hashes of messages by what never changes of their files; where it is lost, they are read again."""

    def __init__(self, path: Path | None) -> None:
        self._rows = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS hash (ino INTEGER, mtime INTEGER, size INTEGER, digest BLOB,"
            " PRIMARY KEY (ino, mtime, size)) WITHOUT ROWID"
        )
        self._rows.execute("BEGIN")

    def of(self, name: str, within: int) -> tuple[os.stat_result, bytes]:
        """A message's file and the SHA-256 of what is in it."""
        about = os.stat(name, dir_fd=within, follow_symlinks=False)
        key = (about.st_ino, about.st_mtime_ns, about.st_size)
        found = self._rows.execute(
            "SELECT digest FROM hash WHERE ino=? AND mtime=? AND size=?", key
        ).fetchone()
        if found:
            return about, bytes(found[0])
        digest = _digest(name, within)
        self._rows.execute("INSERT OR REPLACE INTO hash VALUES (?, ?, ?, ?)", (*key, digest))
        return about, digest

    def close(self, messages: int) -> None:
        """Keep what was learnt; begin anew where most of it is of messages that are gone."""
        rows = self._rows.execute("SELECT COUNT(*) FROM hash").fetchone()[0]
        if rows > 2 * messages + 10_000:
            self._rows.execute("DELETE FROM hash")
        self._rows.execute("COMMIT")
        self._rows.close()


def write(tree: Path, cache: Path, server: str, at: float) -> str:
    """Write it into the tree; returns its SHA-256."""
    text = json.dumps(of(tree, cache / HASHES, server, at), sort_keys=True, separators=(",", ":"))
    write_whole(tree / FILE, text)
    return sha256(text.encode()).hexdigest()


def of(tree: Path, hashes: Path | None, server: str = "", at: float = 0.0) -> Said:
    """The manifest of what lies in a tree; without a place for hashes everything is read."""
    known = _hashes(hashes)
    boxes = {key(home): _mailbox(tree, home, known) for home in homes(tree)}
    counts = [folder["messages"] for box in boxes.values() for folder in box["folders"].values()]
    known.close(sum(counts))
    return {"format": FORMAT, "server": server, "at": at, "mailboxes": boxes, "files": _files(tree)}


def counted(said: Said) -> tuple[int, int, int]:
    """Mailboxes, messages and bytes of messages."""
    folders = [folder for box in said["mailboxes"].values() for folder in box["folders"].values()]
    messages = sum(folder["messages"] for folder in folders)
    return len(said["mailboxes"]), messages, sum(folder["bytes"] for folder in folders)


def key(home: Home) -> str:
    """A mailbox by its id; what belongs to no person by its address."""
    return home[2] if ID.fullmatch(home[2]) else f"{home[2]}:{address(home)}"


def address(home: Home) -> str:
    """Whose directory it is."""
    return f"{local_part(home[1])}@{home[0]}"


def differences(wanted: Said, found: Said) -> list[dict[str, str]]:
    """Each folder, and each file, that is not as it was: the mailbox and what is wrong with it."""
    told = []
    for name, box in wanted["mailboxes"].items():
        there = found["mailboxes"].get(name, {"folders": {}})["folders"]
        for folder, about in box["folders"].items():
            if why := _difference(about, there.get(folder)):
                told.append({"mailbox": name, "address": box["address"], "folder": folder, "why": why})
    for path, digest in wanted["files"].items():
        if found["files"].get(path) != digest:
            told.append({"file": path, "why": "missing" if path not in found["files"] else "other bytes"})
    return told


def _difference(wanted: Said, found: Said | None) -> str:
    if found is None:
        return "missing" if wanted["messages"] else ""
    if found["messages"] != wanted["messages"]:
        return f"{found['messages']} messages instead of {wanted['messages']}"
    return "" if found["hash"] == wanted["hash"] else "other bytes, flags or dates"


def _hashes(path: Path | None) -> Hashes:
    try:
        return Hashes(path)
    except sqlite3.Error:
        if path:
            path.unlink(missing_ok=True)
        return Hashes(path)


def _mailbox(tree: Path, home: Home, hashes: Hashes) -> Said:
    place = tree.joinpath(MAIL, *home)
    folders = {folder: _folder(place / MAILDIR / folder, hashes) for folder in _folders(place / MAILDIR)}
    return {"address": address(home), "place": "/".join(home), "folders": folders}


def _folders(maildir: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError), opened(maildir) as within, os.scandir(within) as entries:
        named = [e.name for e in entries if e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
        return ["", *sorted(name for name in named if (maildir / name / "cur").is_dir())]
    return []


def _folder(place: Path, hashes: Hashes) -> Said:
    lines, size, newest = [], 0, 0
    for about, digest, flags in _messages(place, hashes):
        size += about.st_size
        date = about.st_mtime_ns // 10**9
        newest = max(newest, date)
        lines.append(digest + f"{flags} {date}".encode())
    whole = sha256()
    for line in sorted(lines):
        whole.update(len(line).to_bytes(2, "big") + line)
    return {"messages": len(lines), "bytes": size, "newest": newest, "hash": whole.hexdigest()}


def _messages(place: Path, hashes: Hashes) -> Iterator[tuple[os.stat_result, bytes, str]]:
    for half in HALVES:
        with contextlib.suppress(FileNotFoundError), opened(place / half) as within:
            with os.scandir(within) as entries:
                names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
            for name in names:
                yield *hashes.of(name, within), flags(name)


def flags(name: str) -> str:
    """What a message's name says of it (https://cr.yp.to/proto/maildir.html), in one order."""
    return "".join(sorted(name.rpartition(":2,")[2])) if ":2," in name else ""


def _files(tree: Path) -> dict[str, str]:
    found = {}
    for path in sorted((tree / STATE).rglob("*")):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                found[path.relative_to(tree).as_posix()] = _read(file).hexdigest()
    return found


def _digest(name: str, within: int) -> bytes:
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=within), "rb") as file:
        return _read(file).digest()


def _read(file: Any) -> Any:
    digest = sha256()
    while piece := file.read(CHUNK):
        digest.update(piece)
    return digest
