"""Throw-away places in which points are restored, a mailbox at a time where the disk is short."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import manifest
from .maildir import remove_tree
from .points import Point
from .restic import Failed
from .run import Repository, Trouble
from .staging import MAIL, STATE

ROOM = 512 * 1024 * 1024  # bytes that stay free on the disk whatever is restored
PART_WITHOUT_ROOM = "the disk has not enough room for it"


@contextmanager
def place(repository: Repository, name: str) -> Iterator[Path]:
    """An empty directory that is gone afterwards, with whatever an earlier try left in it."""
    root = repository.host.places.scratch / name
    remove_tree(root)
    root.mkdir(mode=0o700, parents=True)
    try:
        yield root
    finally:
        remove_tree(root)


def clear(scratch: Path) -> None:
    """Remove what killed runs left."""
    remove_tree(scratch)
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)


def point_of(repository: Repository, wanted: str) -> Point:
    """The point that is meant: by its id, or the newest; raises Trouble."""
    if told := repository.ordered(wanted):
        return told
    found = repository.points()
    named = [point for point in found if point.id == wanted] if wanted else found[-1:]
    if not named:
        raise Trouble("there is no such restore point" if wanted else "there is no restore point yet")
    return named[0]


def box_of(said: manifest.Said, mailbox: str) -> manifest.Said:
    """What a point's manifest says of a mailbox; raises Trouble."""
    if mailbox not in said["mailboxes"]:
        raise Trouble("this mailbox is not in the restore point")
    return dict(said["mailboxes"][mailbox])


def demand_room(target: Path, size: int) -> None:
    """Raises Trouble where a restore would fill the disk."""
    if not has_room(target, size):
        raise Trouble(PART_WITHOUT_ROOM)


def has_room(target: Path, size: int) -> bool:
    """Whether so many bytes, and what file systems need on top, fit."""
    return shutil.disk_usage(target).free > size * 1.1 + ROOM


def size_of(box: manifest.Said) -> int:
    """Bytes of a mailbox's messages, each at least a block of the disk's."""
    return sum(folder["bytes"] + 4096 * folder["messages"] for folder in box["folders"].values())


def bring(repository: Repository, point: Point, path: str, target: Path) -> list[str]:
    """A part of a point, at its place below `target`; what could not be had of it, as restic names it."""
    part = target / path
    part.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seen(message: dict[str, object]) -> None:
        if message["message_type"] == "status":
            repository.phase("restore", message)

    try:
        repository.restic.run("restore", f"{point.id}:/{path}", "--target", str(part), seen=seen)
    except Failed as failure:
        return list(failure.items) or [str(failure)]
    return []


def parts(said: manifest.Said, target: Path) -> list[list[str]]:
    """What is brought together: all at once where it fits, else each mailbox for itself. Raises Trouble."""
    boxes = {f"{MAIL}/{box['place']}": size_of(box) for box in said["mailboxes"].values()}
    if has_room(target, sum(boxes.values())):
        return [[MAIL, STATE]]
    demand_room(target, max(boxes.values(), default=0))
    return [[STATE], *([path] for path in boxes)]
