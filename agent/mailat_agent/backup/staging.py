"""What is backed up, laid out in one tree: links to messages, copies of all that is small and changes."""

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from ..mail.addresses import CANARY, NOBODY
from ..standing import FILE as ORDER
from .maildir import HALVES, MAILDIR, Shadow, opened, remove_tree
from .places import Places

MAIL, STATE = "mail", "state"  # of the tree
# Made anew from the order or from mail, of this machine alone, or large and Debian's.
LEFT_OUT = frozenset(
    (
        "generations",
        "packages",
        "sieve",
        "running.json",
        "trial.json",
        "taken_back.json",
        "held",
        "canary.json",
    )
)
FLEETING = ("dovecot.index.cache", "tmp", "maildirsize")  # of a home; Dovecot makes them anew
SQLITE = b"SQLite format 3\0"
BESIDE_SQLITE = ("-wal", "-shm", "-journal")

Home = tuple[str, str, str]  # domain, local part, owner, as their directories are called


def stage(places: Places) -> list[Home]:
    """Bring the tree to what the host has now; returns the homes whose messages are not of one moment."""
    places.ready()
    homes = sorted(_homes(places.mail))
    restless = [home for home in homes if not _stage_home(places.mail.joinpath(*home), _place(places, home))]
    for home in set(_homes(places.tree / MAIL)) - set(homes):
        remove_tree(_place(places, home))
    _stage_state(places)
    return restless


def forget(places: Places, owners: set[str]) -> None:
    """Keep nothing of homes that are erased."""
    for home in list(_homes(places.tree / MAIL)):
        if home[2] in owners:
            remove_tree(_place(places, home))


def clear(places: Places) -> None:
    """Keep no message that its owner has deleted: where the disk is short, links are made anew each time."""
    remove_tree(places.tree)


def homes(tree: Path, mail: str = MAIL) -> list[Home]:
    """The homes in a tree: staged, restored, or the one that is in use."""
    return sorted(_homes(tree / mail))


def _place(places: Places, home: Home) -> Path:
    return places.tree.joinpath(MAIL, *home)


def _homes(root: Path) -> Iterator[Home]:
    """All but the canary's: its mail is ours and nobody's."""
    with contextlib.suppress(FileNotFoundError):
        for domain in _directories(root):
            for local in _directories(root / domain):
                for owner in _directories(root / domain / local):
                    if not (owner == NOBODY and local in ("canary", CANARY)):
                        yield domain, local, owner


def _directories(place: Path) -> list[str]:
    with opened(place) as within, os.scandir(within) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _stage_home(source: Path, target: Path) -> bool:
    """Messages first: what Dovecot knows of them is copied after, so it knows all that are there."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    rested = Shadow(source, target).follow()
    with contextlib.suppress(FileNotFoundError):  # erased meanwhile
        _copy_others(source, target)
    return rested


def _copy_others(source: Path, target: Path) -> None:
    """All but messages. Names sorted have dovecot.index before its log, which then has all that came since."""
    wanted = set()
    with opened(source) as within:
        for name in sorted(os.listdir(within)):
            if name in FLEETING or name.endswith(".lock") or name.startswith(".temp."):
                continue
            wanted.add(name)
            with contextlib.suppress(FileNotFoundError):
                _copy_one(source / name, target / name, os.stat(name, dir_fd=within, follow_symlinks=False))
    for name in set(os.listdir(target)) - wanted:
        _remove(target / name)


def _copy_one(source: Path, target: Path, about: os.stat_result) -> None:
    if stat.S_ISDIR(about.st_mode):
        if source.name in HALVES and _holds_messages(source.parent):
            return
        if target.is_symlink() or target.is_file():
            target.unlink()
        target.mkdir(mode=0o700, exist_ok=True)
        _copy_others(source, target)
    elif stat.S_ISLNK(about.st_mode):
        _copy_link(source, target)
    elif stat.S_ISREG(about.st_mode) and not _is_same(target, about):
        _copy_file(source, target)


def _holds_messages(place: Path) -> bool:
    return place.name == MAILDIR or (place.parent.name == MAILDIR and place.name.startswith("."))


def _copy_link(source: Path, target: Path) -> None:
    leads = os.readlink(source)
    if not target.is_symlink() or os.readlink(target) != leads:
        _remove(target)
        target.symlink_to(leads)


def _is_same(target: Path, about: os.stat_result) -> bool:
    try:
        there = target.lstat()
    except FileNotFoundError:
        return False
    return (there.st_mtime_ns, there.st_size) == (about.st_mtime_ns, about.st_size)


def _copy_file(source: Path, target: Path) -> None:
    """A copy with the same date; never what a link leads to."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        _remove(target)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            shutil.copyfileobj(file, copy)
            os.fchmod(copy.fileno(), stat.S_IMODE(about.st_mode))
            os.fchown(copy.fileno(), about.st_uid, about.st_gid)
        os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        remove_tree(place)
    else:
        place.unlink(missing_ok=True)


def _stage_state(places: Places) -> None:
    """Keys, counters, webmail's database, who has which address, and the order in force."""
    fresh = places.tree / f"{STATE}.new"
    _remove(fresh)
    fresh.mkdir(mode=0o700)
    if places.home.is_dir():
        _copy_state(places.home, fresh, LEFT_OUT)
    if (places.state / ORDER).exists():
        _copy_file(places.state / ORDER, fresh / ORDER)
    _remove(places.tree / STATE)
    fresh.rename(places.tree / STATE)


def _copy_state(source: Path, target: Path, left_out: frozenset[str] = frozenset()) -> None:
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        if entry.name in left_out or entry.name.endswith((*BESIDE_SQLITE, ".new")):
            continue
        path, copy = Path(entry.path), target / entry.name
        with contextlib.suppress(FileNotFoundError):
            if entry.is_symlink():
                copy.symlink_to(os.readlink(path))
            elif entry.is_dir():
                copy.mkdir(mode=0o700)
                _copy_state(path, copy)
            elif entry.is_file():
                _copy_database(path, copy) if _is_database(path) else _copy_file(path, copy)


def _is_database(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _copy_database(source: Path, target: Path) -> None:
    """By SQLite's own online backup (https://www.sqlite.org/backup.html), while others write."""
    about = source.stat()
    live = sqlite3.connect(
        f"file:{source}?mode=rw", uri=True, timeout=60
    )  # it may have to undo what a kill left
    with contextlib.closing(live), contextlib.closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    target.chmod(stat.S_IMODE(about.st_mode))
    os.chown(target, about.st_uid, about.st_gid)
