"""Every configuration that this host ever had in force: directories side by side, one of them pointed to."""

import contextlib
import grp
import json
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..files import read_object, sync_directory, write_whole
from .commands import Failed
from .part import CURRENT, HOME, File, Part

KEPT = 20  # generations
MANIFEST = "manifest.json"  # what a generation says of itself; names and digests, no text
UNFINISHED = ".unfinished"
COOL = 10  # seconds by which files look older: every program of Postfix waits until a file is no longer just written

Rendered = Mapping[str, list[File]]  # by the name of the part


@dataclass(frozen=True)
class Store:
    """The generations below `home`, and the link `current` to the one in force."""

    home: Path = HOME
    current: Path = Path(CURRENT)

    @property
    def folder(self) -> Path:
        return self.home / "generations"

    def place(self, number: int) -> Path:
        """Where a generation's files lie."""
        return self.folder / str(number)

    def numbers(self) -> list[int]:
        """Whole generations, oldest first."""
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def in_force(self) -> int:
        """The number that the link points to; 0 before the first."""
        with contextlib.suppress(OSError, ValueError):
            number = int(Path(os.readlink(self.current)).name)
            return number if self.place(number).is_dir() else 0
        return 0

    def fingerprint(self, number: int, part: Part) -> str:
        """What the part's daemon runs on while this generation is in force, as one digest."""
        parts = read_object(self.place(number) / MANIFEST).get("parts")
        files = parts.get(part.name) if isinstance(parts, dict) else None
        return _digest([files, sorted(part.links.items())])

    def rendered(self, number: int) -> dict[str, list[File]]:
        """A generation's files as they lie, by the name of the part."""
        place, parts = self.place(number), read_object(self.place(number) / MANIFEST).get("parts", {})
        return {name: [_file(place, path, marks) for path, marks in of.items()] for name, of in parts.items()}

    def changed(self, rendered: Rendered) -> set[str]:
        """The parts of which a file differs, in text, mode or owner, from what lies in force; `""` where a file is too many."""
        place = self.place(self.in_force())
        parts = {
            name for name, files in rendered.items() if not all(_is_there(place, file) for file in files)
        }
        wanted = {file.path for files in rendered.values() for file in files}
        lying = _paths(place) - {MANIFEST}
        return parts | ({_owner_of(place, path) for path in lying - wanted} if lying - wanted else set())

    def stage(self, rendered: Rendered) -> int:
        """A new generation, whole and durable, not yet in force; returns its number, or raises Failed."""
        self.ready()
        number = max([*self.numbers(), self.in_force(), 0]) + 1
        unfinished = self.folder / f"{number}{UNFINISHED}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o755)
        for file in (file for files in rendered.values() for file in files):
            _write(unfinished, file, self._age(file))
        write_whole(unfinished / MANIFEST, json.dumps(manifest(rendered), indent=1, sort_keys=True) + "\n")
        os.rename(unfinished, self.place(number))
        sync_directory(self.folder)
        return number

    def _age(self, file: File) -> float:
        # What stays as it was keeps its time, or systemd and others take it for changed.
        place = self.place(self.in_force())
        return (place / file.path).stat().st_mtime if _is_there(place, file) else time.time() - COOL

    def ready(self) -> None:
        """Make the directories; daemons that are not root go through them to their own files, and list none."""
        for folder, mode in ((self.home.parent, 0o711), (self.home, 0o711), (self.folder, 0o711)):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            folder.chmod(mode)
        self.current.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.current.parent.chmod(0o755)

    def switch(self, number: int) -> None:
        """Put a generation in force: one rename, so that every reader sees the old one or the new one."""
        fresh = self.current.with_name(f".{self.current.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.place(number))
        os.replace(fresh, self.current)
        sync_directory(self.current.parent)

    def drop(self, number: int) -> None:
        """Remove a generation that is not in force; killed meanwhile, it is none any more."""
        gone = self.folder / f"{number}{UNFINISHED}"
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(gone, ignore_errors=True)
            os.rename(self.place(number), gone)
        shutil.rmtree(gone, ignore_errors=True)

    def has(self, number: int, paths: Iterable[str]) -> bool:
        """Whether any of these lies in a generation."""
        return bool(_texts(self.place(number), paths))

    def shed(self, given: Iterable[str]) -> None:
        """Drop every generation that has other secrets of these paths than the one in force, and whatever is half made."""
        ours, in_force = list(given), self.in_force()
        kept = _texts(self.place(in_force), ours)
        for number in self.numbers():
            if number != in_force and not _texts(self.place(number), ours) <= kept:
                self.drop(number)
        self.sweep()

    def tidy(self, keep: Iterable[int] = ()) -> None:
        """Keep the last generations, the one in force, and those named; nothing half made."""
        spared = {*self.numbers()[-KEPT:], self.in_force(), *keep}
        for number in set(self.numbers()) - spared:
            shutil.rmtree(self.place(number), ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what is half made or half gone; nobody may be making one."""
        for path in self.folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(path, ignore_errors=True)


def manifest(rendered: Rendered) -> dict[str, object]:
    """When a generation was made, and what of it is whose."""
    parts = {name: {file.path: _marks(file) for file in files} for name, files in rendered.items()}
    return {"made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "parts": parts}


def fingerprint(rendered: Rendered) -> str:
    """All files of all parts as one digest."""
    return _digest({name: {file.path: _marks(file) for file in files} for name, files in rendered.items()})


def _marks(file: File) -> str:
    return f"{file.digest} {file.mode:04o} {file.owner}:{file.group}"


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _write(root: Path, file: File, age: float) -> None:
    path = root / file.path
    if not path.resolve().is_relative_to(root.resolve()) or path == root / MANIFEST:
        raise ValueError("a file lies outside of its generation")
    for folder in reversed([path.parent, *path.parent.parents]):
        if folder.is_relative_to(root) and not folder.is_dir():
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as fresh:
        _own(fresh.fileno(), file)
        os.fchmod(fresh.fileno(), file.mode)
        fresh.write(file.text)
        fresh.flush()
        os.utime(fresh.fileno(), (age, age))
        os.fsync(fresh.fileno())


def _own(descriptor: int, file: File) -> None:
    try:
        user, group = pwd.getpwnam(file.owner).pw_uid, grp.getgrnam(file.group).gr_gid
    except KeyError:
        raise Failed(f"there is no user {file.owner} or no group {file.group} yet") from None
    lies = os.fstat(descriptor)
    if (lies.st_uid, lies.st_gid) != (user, group):
        os.fchown(descriptor, user, group)


def _is_there(root: Path, file: File) -> bool:
    try:
        with open(root / file.path, "rb") as lying:
            status = os.fstat(lying.fileno())
            if stat.S_IMODE(status.st_mode) != file.mode or lying.read() != file.text.encode():
                return False
        return (status.st_uid, status.st_gid) == (
            pwd.getpwnam(file.owner).pw_uid,
            grp.getgrnam(file.group).gr_gid,
        )
    except (OSError, KeyError):
        return False


def _file(root: Path, path: str, marks: str) -> File:
    _digest, mode, owners = marks.split()
    owner, _, group = owners.partition(":")
    return File(path, (root / path).read_text(encoding="utf-8"), int(mode, 8), owner, group)


def _texts(root: Path, paths: Iterable[str]) -> set[tuple[str, bytes]]:
    found = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found.add((path, (root / path).read_bytes()))
    return found


def _paths(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


def _owner_of(root: Path, path: str) -> str:
    parts = read_object(root / MANIFEST).get("parts")
    owners = [str(name) for name, files in parts.items() if path in files] if isinstance(parts, dict) else []
    return owners[0] if owners else ""
