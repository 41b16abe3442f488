"""What an order wants of backups, read from its field `backup` and checked before anything is done."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from ..mail.patterns import BASE64, ID, WORD, Malformed
from .chosen import Chosen
from .points import Point

POINT = re.compile(r"[0-9a-f]{64}")
MOST_JOBS = 50
A_YEAR = 366 * 86400
LONGEST_WORDS = 500  # characters
LAST_DATE = 2**40


@dataclass(frozen=True)
class Escrow:
    """To whom the repository's password is sealed: a public key of the vault's, its name, and what HPKE is told."""

    key: str
    public: bytes
    info: bytes


@dataclass(frozen=True)
class Job:
    """Something to be done once; without a `point` the newest is meant, without a `mailbox` all, without a `folder` all its.

    `folder` is as Maildir++ calls it: "" for the inbox, ".Sent" for another. `into` is the mailbox that gets what was `mailbox`'.
    """

    id: str
    do: str
    point: str = ""
    mailbox: str = ""
    folder: str | None = None
    after: str = ""
    undo: str = ""  # the restore that is taken back
    format: str = ""  # of an export
    closing: bool = False  # a backup after which nothing may arrive
    chosen: Chosen | None = None
    into: str = ""


@dataclass(frozen=True)
class Wanted:
    """`keep` and `every` in seconds; `hours` (UTC, from and to) in which backups begin; `kib_s` in KiB a second."""

    keep: int
    every: int
    hours: tuple[int, int] | None
    kib_s: int | None
    escrow: Escrow
    jobs: tuple[Job, ...]
    password: str = field(default="", repr=False)  # sealed to this host, where another made the repository
    hold: bool = False  # nothing comes round by itself: only jobs are done
    known: tuple[Point, ...] = ()  # points that jobs name, as they were told of when they were made


def read(value: object) -> Wanted:
    """The field `backup` of an order; raises Malformed."""
    fields = _object(value, "backup")
    return Wanted(
        keep=_whole(fields, "keep", 60, A_YEAR),
        every=_whole(fields, "every", 60, A_YEAR),
        hours=_hours(fields.get("hours")),
        kib_s=_whole(fields, "kib_s", 1, 2**30) if fields.get("kib_s") is not None else None,
        escrow=_escrow(_object(fields.get("escrow"), "escrow")),
        jobs=_jobs(fields.get("jobs")),
        password=_match(fields, "password", BASE64) if fields.get("password") else "",
        hold=fields.get("hold") is True,
        known=_known(fields.get("known", [])),
    )


def _hours(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed("hours")
    if not all(type(hour) is int and 0 <= hour <= 24 for hour in value):
        raise Malformed("hours")
    return value[0], value[1]


def _escrow(fields: dict[str, Any]) -> Escrow:
    name = "key" if "key" in fields else "id"
    public, info = _bytes(fields, "public"), _bytes(fields, "info")
    if len(public) != 32:
        raise Malformed("public")
    return Escrow(_match(fields, name, WORD), public, info)


def _jobs(values: object) -> tuple[Job, ...]:
    if not isinstance(values, list) or len(values) > MOST_JOBS:
        raise Malformed("jobs")
    return tuple(_job(_object(value, "jobs")) for value in values)


def _known(values: object) -> tuple[Point, ...]:
    if not isinstance(values, list) or len(values) > MOST_JOBS:
        raise Malformed("known")
    return tuple(_point(_object(value, "known")) for value in values)


def _point(fields: dict[str, Any]) -> Point:
    at = _date(fields, "at")
    if at is None:
        raise Malformed("at")
    size, boxes, messages = (_whole(fields, name, 0, 2**60) for name in ("bytes", "mailboxes", "messages"))
    return Point(
        _match(fields, "id", POINT), at, at, size, boxes, messages, _match(fields, "manifest", POINT)
    )


def _job(fields: dict[str, Any]) -> Job:
    folder = fields.get("folder")
    if folder is not None and not _is_folder(folder):
        raise Malformed("folder")
    return Job(
        id=_match(fields, "id", ID),
        do=_match(fields, "do", WORD),
        point=_optional(fields, "point", POINT),
        mailbox=_optional(fields, "mailbox", ID),
        folder=folder,
        after=_optional(fields, "after", ID),
        undo=_optional(fields, "undo", ID),
        format=_optional(fields, "format", WORD),
        closing=fields.get("closing") is True,
        chosen=_chosen(_object(fields["chosen"], "chosen")) if fields.get("chosen") is not None else None,
        into=_optional(fields, "into", ID),
    )


def _chosen(fields: dict[str, Any]) -> Chosen:
    return Chosen(
        since=_date(fields, "since"),
        before=_date(fields, "before"),
        sender=_words(fields, "from"),
        subject=_words(fields, "subject"),
        to=_words(fields, "to"),
    )


def _date(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LAST_DATE:
        raise Malformed(name)
    return float(value)


def _words(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_WORDS:
        raise Malformed(name)
    return value


def _is_folder(value: object) -> bool:
    """The inbox, or a directory's name beginning with a dot: no way leads elsewhere."""
    if not isinstance(value, str) or len(value) > 250 or "/" in value or "\0" in value:
        return False
    return value == "" or (value.startswith(".") and value not in (".", ".."))


def _optional(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    return _match(fields, name, pattern) if fields.get(name) else ""


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(name)
    return value


def _match(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(name)
    return value


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_match(fields, name, BASE64), validate=True)
    except ValueError:
        raise Malformed(name) from None


def _whole(fields: dict[str, Any], name: str, least: int, most: int) -> int:
    value = fields.get(name)
    if type(value) is not int or not least <= value <= most:
        raise Malformed(name)
    return value
