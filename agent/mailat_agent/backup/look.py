"""A look into a restore point before anything is restored."""

import json
from typing import Any

from . import scratch
from .run import Repository
from .wanted import Job

LONGEST = 7 * 1024  # characters of an answer: it travels in a report with all else


def look(repository: Repository, job: Job) -> dict[str, Any]:
    """The mailboxes in a point, or the folders of one, with counts and the newest date; `more` where a page ends."""
    point = scratch.point_of(repository, job.point)
    said = repository.manifest(point)
    if job.mailbox:
        box = scratch.box_of(said, job.mailbox)
        rows = [{"folder": name, **_brief(folder)} for name, folder in sorted(box["folders"].items())]
        return {"point": point.id, "at": point.at, "address": box["address"], **_page("folders", rows)}
    names = sorted(name for name in said["mailboxes"] if name > job.after)
    rows = [_summed(name, said["mailboxes"][name]) for name in names]
    return {"point": point.id, "at": point.at, **_page("mailboxes", rows)}


def _brief(folder: dict[str, Any]) -> dict[str, Any]:
    return {name: folder[name] for name in ("messages", "bytes", "newest")}


def _summed(name: str, box: dict[str, Any]) -> dict[str, Any]:
    folders = list(box["folders"].values())
    return {
        "id": name,
        "address": box["address"],
        "messages": sum(folder["messages"] for folder in folders),
        "bytes": sum(folder["bytes"] for folder in folders),
        "newest": max((folder["newest"] for folder in folders), default=0),
    }


def _page(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    kept, length = [], 0
    for row in rows:
        length += len(json.dumps(row)) + 2
        if length > LONGEST:
            break
        kept.append(row)
    return {name: kept, "more": len(kept) < len(rows)}
