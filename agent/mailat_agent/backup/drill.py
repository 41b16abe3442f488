"""A backup counts when it was restored: the newest is, to a throw-away place, and compared with what it should have."""

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import manifest, scratch
from .maildir import remove_tree
from .points import Point
from .restic import Failed
from .run import Repository, Trouble
from .staging import MAIL, STATE

MOST = 20  # differences that are told
TOO_LONG = 200  # characters of one


def drill(repository: Repository, job: str, wanted: str = "") -> dict[str, Any]:
    """What was restored and how long it took; raises Trouble naming the mailboxes that are not as they were.

    The repository is to be opened without a cache, so that what is read is what the storage has.
    """
    begun = time.monotonic()
    point = scratch.point_of(repository, wanted)
    said, wrong = _expected(repository, point)
    with scratch.place(repository, f"drill-{job}") as place:
        differences, lost = _compared(repository, point, said, place)
    seconds = round(time.monotonic() - begun, 1)
    boxes, messages, size = manifest.counted(said)
    result = {"point": point.id, "at": point.at, "seconds": seconds, "mailboxes": boxes, "messages": messages,
              "bytes": size, "differ": differences[:MOST]}  # fmt: skip
    if differences or lost:
        raise Differs(_named(differences, lost), result)
    if wrong := wrong or _structure(repository):
        raise Differs(wrong, result)
    return result


def _expected(repository: Repository, point: Point) -> tuple[manifest.Said, str]:
    """What the point should have; where the storage no longer tells, by the host's own copy, and what is wrong then."""
    try:
        return repository.manifest(point), ""
    except (Failed, Trouble) as failure:
        copy = repository.host.places.tree / manifest.FILE
        text = copy.read_bytes() if copy.exists() else b""
        if not text or sha256(text).hexdigest() != point.manifest:
            raise
        return dict(json.loads(text)), f"the list of what the restore point has is lost: {failure}"[:TOO_LONG]


class Differs(Trouble):
    """What was restored is not what was backed up; `result` says what."""

    def __init__(self, why: str, result: dict[str, Any]) -> None:
        super().__init__(why)
        self.result = result


def _compared(
    repository: Repository, point: Point, said: manifest.Said, place: Path
) -> tuple[list[dict[str, str]], list[str]]:
    """What differs, and what restic could not bring."""
    differences, lost = [], []
    for paths in scratch.parts(said, place):
        for path in paths:
            lost += scratch.bring(repository, point, path, place)
        repository.phase("compare", {})
        differences += manifest.differences(_part(said, paths), manifest.of(place, None))
        for path in paths:
            remove_tree(place / path)
    return differences, lost


def _part(said: manifest.Said, paths: list[str]) -> manifest.Said:
    """What is expected of these paths."""
    boxes = said["mailboxes"]
    if MAIL not in paths:
        boxes = {name: box for name, box in boxes.items() if f"{MAIL}/{box['place']}" in paths}
    return {**said, "mailboxes": boxes, "files": said["files"] if STATE in paths else {}}


def _named(differences: list[dict[str, str]], lost: list[str]) -> str:
    if not differences:
        return f"not all could be restored: {lost[0]}"[:TOO_LONG]
    first = differences[0]
    what = first.get("address") or first.get("file", "")
    folder = f", folder {first['folder'].strip('.') or 'INBOX'}" if "folder" in first else ""
    addresses = {one["address"] for one in differences if "address" in one}
    more = f" (and {len(addresses) - 1} more mailboxes)" if len(addresses) > 1 else ""
    return f"{what}{folder}: {first['why']}{more}"[:TOO_LONG]


def _structure(repository: Repository) -> str:
    """What restic's own check finds wrong with the rest of the repository: packs that are missing or too short."""
    repository.phase("check", {})
    try:
        repository.restic.run("check", "--no-lock")
    except Failed as failure:
        return f"the repository is damaged: {failure}"[:TOO_LONG]
    return ""
