"""One home's messages as they were at one moment, without stopping mail: hard links to all of them.

While a directory is read, messages are renamed: from new to cur, to other flags, to another folder. So each directory is read
again until all of them were read after their last change: then at the moment before the last look all lists were true at once,
and a message that was there then is in exactly one of them. A message's file is never written to, so a link to it is a copy.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MAILDIR = "Maildir"
HALVES = ("cur", "new")
GRAIN = 20_000_000  # ns: two changes so near to each other may leave the same time on a directory
PAUSE = 0.03  # seconds between looks, longer than the grain
LOOKS = 100  # then whatever was seen of it is kept
CALM = 30  # sweeps in a row of a mailbox that never rests in which nothing was met that was not there yet
SWEEPS = 300  # at most: a mailbox to which mail is always added always has something new

Half = tuple[str, str]  # a folder's directory, "" for the inbox, and one of HALVES


@dataclass
class Shadow:
    """The links to one home's messages, in directories of the same names; `rested` says whether they are of one moment."""

    source: Path
    target: Path
    rested: bool = True
    name: str = MAILDIR
    _read: dict[Half, tuple[int, int]] = field(default_factory=dict)  # when it had changed, when it was read

    def follow(self) -> bool:
        """Make it what the home is; False where a directory changed at every look, so that links are of several moments."""
        self.rested = any(self._look() or _wait() for _ in range(LOOKS))
        if not self.rested:
            self._sweep()
        return self.rested

    def halves(self) -> dict[Half, int]:
        """The directories that hold messages, and what they are to the file system."""
        found = {}
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            opened(self.source / self.name) as root,
        ):
            for folder in ("", *_folders(root)):
                with contextlib.suppress(OSError), opened(folder or ".", root) as place:
                    for half in HALVES:
                        with contextlib.suppress(OSError), opened(half, place) as messages:
                            found[folder, half] = os.fstat(messages).st_ino
        return found

    def _look(self) -> bool:
        """Whether all that was read is still true."""
        halves = self.halves()
        for half in halves:
            if not self._is_fresh(half):
                self._mirror(half)
        self._drop_others(set(halves))
        return all(map(self._is_fresh, halves)) and self.halves() == halves

    def _is_fresh(self, half: Half) -> bool:
        changed, read = self._read.get(half, (0, 0))
        return read > 0 and changed < read - GRAIN and _changed(self._from(half)) == changed

    def _mirror(self, half: Half, forget: bool = True) -> None:
        read = time.time_ns()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), opened(self._from(half)) as source:
            self._read[half] = (os.fstat(source).st_mtime_ns, read)
            place = self._to(half)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with opened(place) as target:
                mirror(source, target, forget)

    def _drop_others(self, halves: set[Half]) -> None:
        for half in list(self._there() - halves):
            remove_tree(self._to(half))
            self._read.pop(half, None)

    def _there(self) -> set[Half]:
        return set(Shadow(self.target, self.target).halves())

    def _sweep(self) -> None:
        """Take every message that is met anywhere, then let go of all but one link to each.

        One may be moved out of each directory just before it is read, so one round shows little: they go on until they tell
        nothing new for long.
        """
        calm, before = 0, self._met()
        for _ in range(SWEEPS):
            for half in self.halves():
                self._mirror(half, forget=False)
            met = self._met()
            calm = calm + 1 if met <= before else 0
            before = met
            if calm == CALM:
                break
        now = {(half, name) for half in self.halves() for name in _names(self._from(half))}
        kept: dict[int, tuple[Half, str]] = {}
        for half in sorted(self._there()):
            for name, message in _files_of(self._to(half)).items():
                other = kept.setdefault(message, (half, name))
                if other != (half, name):
                    lost = other if (half, name) in now else (half, name)
                    kept[message] = (half, name) if lost == other else other
                    (self._to(lost[0]) / lost[1]).unlink()

    def _met(self) -> set[int]:
        """What is linked so far."""
        return {message for half in self._there() for message in _files_of(self._to(half)).values()}

    def _from(self, half: Half) -> Path:
        return self.source / MAILDIR / half[0] / half[1]

    def _to(self, half: Half) -> Path:
        return self.target / MAILDIR / half[0] / half[1]


def mirror(source: int, target: int, forget: bool = True) -> None:
    """Links in the target to all files of the source, by the same names; what else is there goes, unless told otherwise."""
    wanted, there = files(source), files(target)
    for name, message in there.items():
        if wanted.get(name) != message and (forget or name in wanted):
            os.unlink(name, dir_fd=target)
    for name, message in wanted.items():
        if there.get(name) != message:
            with contextlib.suppress(FileNotFoundError):  # renamed meanwhile: the directory is read again
                os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)


def files(place: int) -> dict[str, int]:
    """The regular files of a directory, and what they are to the file system."""
    with os.scandir(place) as entries:
        return {entry.name: entry.inode() for entry in entries if entry.is_file(follow_symlinks=False)}


@contextmanager
def opened(name: str | Path, within: int | None = None) -> Iterator[int]:
    """A directory and never what a link leads to: what lies there was written by other users than root."""
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def remove_tree(place: Path) -> None:
    """A directory with all that is in it; links are removed and not followed."""
    with contextlib.suppress(FileNotFoundError), opened(place) as within:
        with os.scandir(within) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_directory in found:
            remove_tree(place / name) if is_directory else os.unlink(name, dir_fd=within)
        place.rmdir()


def _folders(root: int) -> list[str]:
    with os.scandir(root) as entries:
        return sorted(e.name for e in entries if e.name.startswith(".") and e.is_dir(follow_symlinks=False))


def _names(place: Path) -> list[str]:
    try:
        return os.listdir(place)
    except OSError:
        return []


def _files_of(place: Path) -> dict[str, int]:
    with opened(place) as within:
        return files(within)


def _changed(place: Path) -> int:
    try:
        return place.lstat().st_mtime_ns
    except OSError:
        return -1


def _wait() -> bool:
    time.sleep(PAUSE)
    return False
