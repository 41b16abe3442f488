"""What was backed up comes back: beside what is there, and never over it."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import chosen, manifest, scratch
from .maildir import HALVES, MAILDIR, remove_tree
from .points import Point
from .restic import Failed
from .run import Repository, Trouble
from .staging import MAIL
from .wanted import Job

NOT_RESTORED = "dovecot.index", "dovecot-uidlist"  # of a folder that is new: it gets its own
KEYWORDS = "dovecot-keywords"
REMEMBERED = 50  # restores that can be taken back
PATIENCE = 60.0  # seconds
NONE_LIKE_THAT = "No message in this restore point is like that."

Homes = Callable[[str], Path | None]


@dataclass(frozen=True)
class Restore:
    """Brings messages back into folders of their own; `homes` says where a mailbox that is served lives now."""

    repository: Repository
    homes: Homes

    def run(self, job: Job) -> dict[str, Any]:
        """One mailbox, or one folder of it, into folders called Restored; or what such a restore made, gone again."""
        if job.undo:
            return self._undo(job.undo)
        point = scratch.point_of(self.repository, job.point)
        box = scratch.box_of(self.repository.manifest(point), job.mailbox)
        if job.folder is not None and job.folder not in box["folders"]:
            raise Trouble("this folder is not in the restore point")
        folders = sorted(box["folders"]) if job.folder is None else [job.folder]
        home = self.homes(job.into or job.mailbox)
        if home is None:
            raise Trouble("this mailbox is not served: it has to be there before its mail can come back")
        filled = [name for name in folders if box["folders"][name]["messages"]]
        return self._bring(job, point, box, filled, home)

    def _bring(
        self, job: Job, point: Point, box: dict[str, Any], folders: list[str], home: Path
    ) -> dict[str, Any]:
        place_of = self.repository.host.places.scratch
        sizes = [scratch.size_of({"folders": {folder: box["folders"][folder]}}) for folder in folders]
        scratch.demand_room(place_of, max(sizes, default=0) if job.chosen else sum(sizes))
        made = self._names(job, point, folders, home)
        with scratch.place(self.repository, f"restore-{job.id}") as place:
            maildir = place / MAIL / box["place"] / MAILDIR
            counts = {folder: self._part(job, point, box, folder, place) for folder in folders}
            laid = {folder: made[folder] for folder in folders if counts[folder][0]}
            if laid:
                ensure_maildir(home)
            for folder in reversed(laid):  # the inbox last: its directory has the others
                _lay(maildir / folder, home / MAILDIR / laid[folder])
        domain, local, owner = home.parts[-3:]
        subscribe(manifest.address((domain, local, owner)), list(laid.values()))
        return _result(point, laid, counts, job.chosen is not None)

    def _part(self, job: Job, point: Point, box: dict[str, Any], folder: str, place: Path) -> tuple[int, int]:
        """A folder in its place, or what is chosen of it; its messages and their bytes."""
        about, maildir = box["folders"][folder], f"{MAIL}/{box['place']}/{MAILDIR}"
        if job.chosen:
            scratch.demand_room(place, scratch.size_of({"folders": {folder: about}}))
        lost = self._fetch(point, maildir, folder, place)
        if lost:
            raise Trouble(f"not all could be restored: {lost[0]}"[:200])
        if job.chosen is None:
            return about["messages"], about["bytes"]
        return chosen.keep(job.chosen, place / maildir / folder)

    def _fetch(self, point: Point, maildir: str, folder: str, place: Path) -> list[str]:
        path = f"{maildir}/{folder}" if folder else maildir
        if folder:
            return scratch.bring(self.repository, point, path, place)
        with contextlib.suppress(Failed):  # which letters of names stand for which of its owner's own words
            words = self.repository.restic.read("dump", point.id, f"/{path}/{KEYWORDS}", most=64 * 1024)
            (place / path).mkdir(mode=0o700, parents=True, exist_ok=True)
            (place / path / KEYWORDS).write_bytes(words)
        return [
            lost for half in HALVES for lost in scratch.bring(self.repository, point, f"{path}/{half}", place)
        ]

    def _names(self, job: Job, point: Point, folders: list[str], home: Path) -> dict[str, str]:
        """The new folder of each, written down before the first is made; what a killed try made is removed."""
        state = self.repository.state
        known = state.restored.get(job.id)
        if known:
            for name in known["made"].values():
                remove_tree(home / MAILDIR / name)
            return dict(known["made"])
        root = _free_name(home / MAILDIR, time.strftime(".Restored %Y-%m-%d %H%M", time.gmtime(point.at)))
        made = {folder: root + folder for folder in folders}
        kept = dict(list(state.restored.items())[-REMEMBERED + 1 :])
        state.set(restored={**kept, job.id: {"mailbox": job.into or job.mailbox, "made": made}})
        return made

    def _undo(self, job: str) -> dict[str, Any]:
        """The folders that a restore made go, with what is in them."""
        state = self.repository.state
        known = state.restored.get(job)
        if known is None:
            raise Trouble("nothing is known of this restore any more")
        home = self.homes(known["mailbox"])
        names = [name for name in known["made"].values() if home and (home / MAILDIR / name).is_dir()]
        for name in names:
            _remove_folder(Path(home or ""), name, self.repository.host.places.scratch)
        state.set(restored={one: about for one, about in state.restored.items() if one != job})
        return {"folders": len(names)}


def _result(
    point: Point, laid: dict[str, str], counts: dict[str, tuple[int, int]], is_choice: bool
) -> dict[str, Any]:
    messages, size = (sum(one[part] for one in counts.values()) for part in (0, 1))
    told = {"says": NONE_LIKE_THAT} if is_choice and not messages else {}
    return {"point": point.id, "at": point.at, "folder": _shown(laid), "folders": len(laid),
            "messages": messages, "bytes": size, **told}  # fmt: skip


def ensure_maildir(home: Path) -> None:
    """A mailbox that got no mail yet has no place; Dovecot finds this one."""
    if any(place.is_symlink() for place in (home / MAILDIR, home, *list(home.parents)[:2])):
        raise Trouble(
            "the mailbox' directory is a link"
        )  # its owner's daemons may lay one; root follows none
    owner = next(parent for parent in (home, *home.parents) if parent.exists()).stat()
    for place in (
        *reversed(home.parents),
        home,
        home / MAILDIR,
        *(home / MAILDIR / half for half in (*HALVES, "tmp")),
    ):
        if not place.exists():
            place.mkdir(mode=0o700)
            os.chown(place, owner.st_uid, owner.st_gid)


def _lay(source: Path, target: Path) -> None:
    """A folder that is whole appears in one step."""
    source.mkdir(mode=0o700, exist_ok=True)
    for half in (*HALVES, "tmp"):
        (source / half).mkdir(mode=0o700, exist_ok=True)
    for path in list(source.iterdir()):
        if path.is_dir() and not path.is_symlink() and path.name not in (*HALVES, "tmp"):
            remove_tree(path)  # of the inbox' directory, the other folders
        elif path.name.startswith(NOT_RESTORED):
            path.unlink()
    own(source, target.parent)
    (source / "maildirfolder").touch()
    shutil.chown(source / "maildirfolder", target.parent.stat().st_uid, target.parent.stat().st_gid)
    os.rename(source, target)


def own(place: Path, like: Path) -> None:
    """Give all of it to whom the other belongs, and to nobody else."""
    about = like.stat()
    for directory, _directories, names in os.walk(place):
        os.chown(directory, about.st_uid, about.st_gid)
        os.chmod(directory, 0o700)
        for name in names:
            path = os.path.join(directory, name)
            os.chown(path, about.st_uid, about.st_gid, follow_symlinks=False)
            if not os.path.islink(path):
                os.chmod(path, 0o600)


def subscribe(address: str, folders: list[str]) -> None:
    """So that mail programs show them; those that show everything do without."""
    names = [folder.strip(".").replace(".", "/") for folder in folders]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = ["doveadm", "mailbox", "subscribe", "-u", address, *names]
        subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)


def _remove_folder(home: Path, name: str, scratch_place: Path) -> None:
    """Gone for mail programs in one step, then from the disk."""
    aside = scratch_place / f"undo-{time.time_ns()}"
    os.rename(home / MAILDIR / name, aside)
    remove_tree(aside)


def _free_name(maildir: Path, name: str) -> str:
    """This one, or with a number behind it where a folder has it already."""
    there = {path.name for path in maildir.glob(".Restored*")} if maildir.is_dir() else set()
    taken = set(there) | {".".join(one.split(".")[:2]) for one in there}
    numbered = (name if number == 1 else f"{name} ({number})" for number in range(1, len(taken) + 2))
    return next(one for one in numbered if one not in taken)


def _shown(made: dict[str, str]) -> str:
    """The folder under which all is, as mail programs show it."""
    first = min(made.values(), default="")
    return first.strip(".").split(".")[0]
