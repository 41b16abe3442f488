"""Restore points as restic lists them, and which of them are over: pure functions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

MARGIN = 120.0  # seconds: the control plane counts from when it saw a point, which is a little later
GRACE = 1800.0  # seconds beyond an interval until a point that is over is let go without waiting for a backup


@dataclass(frozen=True)
class Point:
    """`at` is when it was begun and `end` when it was whole, in Unix time; `bytes` before restic."""

    id: str
    at: float
    end: float
    bytes: int
    mailboxes: int
    messages: int
    manifest: str

    def kept(self) -> dict[str, Any]:
        """As it is remembered."""
        return asdict(self)


def told(kept: dict[str, Any]) -> dict[str, Any]:
    """As the protocol has it."""
    return {name: value for name, value in kept.items() if name != "end"}


def remembered(kept: Iterable[dict[str, Any]], names: Collection[str]) -> list[Point] | None:
    """These, the oldest first; None where one of them is not remembered, so that restic has to be asked."""
    known = {one["id"]: one for one in kept if one.keys() >= FIELDS}
    if not known.keys() >= set(names):
        return None
    return in_order(Point(**{name: known[one][name] for name in FIELDS}) for one in names)


def in_order(points: Iterable[Point]) -> list[Point]:
    """The oldest first."""
    return sorted(points, key=lambda point: (point.at, point.id))


FIELDS = {field.name for field in fields(Point)}


def read(snapshots: Iterable[dict[str, Any]]) -> list[Point]:
    """What `restic snapshots` said, the oldest first."""
    return in_order(map(_point, snapshots))


def made(summary: dict[str, Any], mailboxes: int, messages: int, manifest: str) -> Point:
    """The point that `restic backup` says it has made."""
    at, end = _time(summary["backup_start"]), _time(summary["backup_end"])
    return Point(
        summary["snapshot_id"], at, end, summary["total_bytes_processed"], mailboxes, messages, manifest
    )


def tags(mailboxes: int, messages: int, manifest: str) -> str:
    """What a snapshot is told to remember."""
    return f"mailboxes={mailboxes},messages={messages},manifest={manifest}"


def leaving(points: Sequence[Point], keep: float, now: float) -> list[Point]:
    """Those that were kept for as long as was promised; never the newest, which is the present and not history."""
    return [point for point in points[:-1] if point.end + keep + MARGIN <= now]


def are_overdue(points: Sequence[Point], keep: float, every: float, now: float) -> bool:
    """Whether some should have left with a backup that did not come."""
    return bool(leaving(points, keep + every + GRACE, now))


def _point(said: dict[str, Any]) -> Point:
    known = dict(tag.partition("=")[::2] for tag in said.get("tags") or [])
    summary = said.get("summary") or {}
    at = _time(said["time"])
    return Point(
        id=said["id"],
        at=at,
        end=max(at, _time(summary.get("backup_end") or said["time"])),
        bytes=int(summary.get("total_bytes_processed") or 0),
        mailboxes=_number(known.get("mailboxes")),
        messages=_number(known.get("messages")),
        manifest=known.get("manifest", ""),
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
