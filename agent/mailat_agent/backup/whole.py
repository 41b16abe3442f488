"""A whole store on new hardware: mailboxes as they were, keys and counters as they were; mail that came meanwhile stays."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..mail import dkim, policy_state, roundcube, srs
from ..mail.patterns import ID
from . import manifest, scratch
from .maildir import HALVES, MAILDIR, Half, Shadow, opened, remove_tree
from .maildir import files as messages_of
from .points import Point
from .restore import Homes, ensure_maildir, own
from .run import Repository, Trouble, checked
from .staging import MAIL, STATE
from .wanted import Job

BEFORE = ".before-restore"  # of a home: its empty Maildir, until what may have arrived in it meanwhile is taken over
DATABASES = (f"{roundcube.HOME}/{roundcube.DATABASE}", policy_state.FILE)
FILES = (srs.MADE, f"{roundcube.HOME}/{roundcube.DES_KEY}", f"{roundcube.HOME}/{roundcube.TABLES}")

BLOCK = 4096  # bytes that a file has at least on a disk
Served = tuple[dict[str, Any], Path]  # what the manifest says of a mailbox, and where it lives


@dataclass(frozen=True)
class Whole:
    """Restores everything of a point; `changed` is called when keys are other than the daemons know."""

    repository: Repository
    homes: Homes
    changed: Callable[[], None]

    def run(self, job: Job) -> dict[str, Any]:
        """Every mailbox that is served, then keys and counters. What is there already is not brought twice."""
        point = scratch.point_of(self.repository, job.point)
        if scratch.has_room(self.repository.host.places.scratch, point.bytes + BLOCK * point.messages):
            with scratch.place(self.repository, f"whole-{job.id}") as place:
                return self._all_at_once(point, place)
        return self._one_by_one(point, job)

    def _all_at_once(self, point: Point, place: Path) -> dict[str, Any]:
        self._fetch(point, "", place)
        said = checked((place / manifest.FILE).read_bytes(), point)
        served, left = self._served(said)
        for box, home in served:
            self._settle(place, box, home)
        bring_state(place / STATE, self.repository.host.places.home)
        self.changed()
        return _brought(point, served, left)

    def _one_by_one(self, point: Point, job: Job) -> dict[str, Any]:
        """Where the disk has no room for all of it twice."""
        served, left = self._served(self.repository.manifest(point))
        for box, home in served:
            self._bring(point, box, home, job.id)
        self._bring_state(point, job.id)
        return _brought(point, served, left)

    def _served(self, said: manifest.Said) -> tuple[list[Served], list[str]]:
        """The mailboxes that have a home here, and the addresses of people's that have none."""
        boxes = [
            (box, self.homes(name)) for name, box in sorted(said["mailboxes"].items()) if ID.fullmatch(name)
        ]
        return [(box, home) for box, home in boxes if home], [
            box["address"] for box, home in boxes if not home
        ]

    def _bring(self, point: Point, box: dict[str, Any], home: Path, job: str) -> None:
        scratch.demand_room(self.repository.host.places.scratch, scratch.size_of(box))
        with scratch.place(self.repository, f"whole-{job}") as place:
            self._fetch(point, f"{MAIL}/{box['place']}", place)
            self._settle(place, box, home)

    def _settle(self, place: Path, box: dict[str, Any], home: Path) -> None:
        ensure_maildir(home)
        restored = place / MAIL / box["place"]
        own(restored, home)
        settle(restored, home)

    def _bring_state(self, point: Point, job: str) -> None:
        with scratch.place(self.repository, f"state-{job}") as place:
            self._fetch(point, STATE, place)
            bring_state(place / STATE, self.repository.host.places.home)
        self.changed()

    def _fetch(self, point: Point, path: str, place: Path) -> None:
        lost = scratch.bring(self.repository, point, path, place)
        if lost:
            raise Trouble(f"not all could be restored: {lost[0]}"[:200])


def _brought(point: Point, served: list[Served], left: list[str]) -> dict[str, Any]:
    messages = sum(folder["messages"] for box, _home in served for folder in box["folders"].values())
    return {
        "point": point.id,
        "at": point.at,
        "mailboxes": len(served),
        "messages": messages,
        "not_served": left[:20],
    }


def settle(restored: Path, home: Path) -> None:
    """The restored home takes the place of an empty one; into one that has mail, what it lacks is brought."""
    _finish(home)
    if (restored / MAILDIR).is_dir():
        if any(True for _one in _messages(home)):
            merge(restored, home)
        else:
            os.rename(home / MAILDIR, home / BEFORE)
            os.rename(restored / MAILDIR, home / MAILDIR)
            _finish(home)
    for path in restored.iterdir():
        if path.name != MAILDIR and not os.path.lexists(home / path.name):
            os.rename(path, home / path.name)


def _finish(home: Path) -> None:
    """What arrived in the directory that was set aside is mail like all other; killed here, it is found again."""
    before = home / BEFORE
    if not before.exists():
        return
    if (home / MAILDIR).exists():
        merge(before, home, at=before)
        remove_tree(before)
    else:
        os.rename(before, home / MAILDIR)


def merge(source: Path, home: Path, at: Path | None = None) -> None:
    """Bring what is not there by its name; a folder that is not there comes whole."""
    maildir = at or source / MAILDIR
    for folder in sorted({folder for folder, _half in _halves(maildir)}):
        if folder and not (home / MAILDIR / folder).exists():
            os.rename(maildir / folder, home / MAILDIR / folder)
            continue
        there = {base(name) for half in HALVES for name in _names(home / MAILDIR / folder / half)}
        for half in HALVES:
            for name in _names(maildir / folder / half):
                if base(name) not in there:
                    os.rename(maildir / folder / half / name, home / MAILDIR / folder / half / name)


def base(name: str) -> str:
    """What of a message's name stays the same when its flags change."""
    return name.partition(":")[0]


def bring_state(restored: Path, home: Path) -> None:
    """Keys that the world knows, counters, and webmail's data; by transactions where daemons have them open."""
    for key in sorted((restored / "dkim").glob("*.key")):
        write_whole(home / "dkim" / key.name, key.read_text(encoding="ascii"))
    for name in FILES:
        if (restored / name).is_file() and (home / name).parent.is_dir():
            _replace(restored / name, home / name)
    for name in DATABASES:
        if (restored / name).is_file() and (home / name).parent.is_dir():
            _bring_database(restored / name, home / name)
    for path in (home / "dkim").glob("*.key"):
        with contextlib.suppress(LookupError, PermissionError):
            shutil.chown(path, "root", dkim.READER)
            path.chmod(0o640)


def _replace(source: Path, target: Path) -> None:
    about = target.stat() if target.exists() else target.parent.stat()
    write_whole(target, source.read_text(encoding="utf-8"), mode=about.st_mode & 0o640)
    os.chown(target, about.st_uid, about.st_gid)


def _bring_database(source: Path, target: Path) -> None:
    about = target.stat() if target.exists() else target.parent.stat()
    with (
        contextlib.closing(sqlite3.connect(source)) as kept,
        contextlib.closing(sqlite3.connect(target, timeout=60)) as live,
    ):
        kept.backup(live)
    os.chown(target, about.st_uid, about.st_gid)


def _messages(home: Path) -> Iterator[str]:
    for folder, half in _halves(home / MAILDIR):
        yield from _names(home / MAILDIR / folder / half)


def _halves(maildir: Path) -> dict[Half, int]:
    return Shadow(maildir.parent, maildir.parent, name=maildir.name).halves()


def _names(place: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError), opened(place) as within:
        return list(messages_of(within))
    return []
