"""What a host answered to a job, read strictly: its root may have written anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.models import Job
from dashboard.mail import told

ADDRESS, FOLDER, MOST = 320, 250, 300  # characters twice, rows
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+"
)  # and what turns the writing


@dataclass(frozen=True)
class SaidBox:
    """A mailbox in a restore point, as its host describes it."""

    id: UUID
    address: str
    messages: int
    bytes: int
    newest: datetime | None


@dataclass(frozen=True)
class SaidFolder:
    """`name` is as Maildir++ has it: "" for the inbox, ".Sent" for another."""

    name: str
    messages: int
    bytes: int
    newest: datetime | None


@dataclass(frozen=True)
class Restored:
    """What a restore brought; `folder` is the new one, as mail programs show it."""

    folder: str
    folders: int
    messages: int
    bytes: int


def result_of(job: Job) -> Mapping[str, Any]:
    return job.result if isinstance(job.result, dict) else {}


def boxes(job: Job) -> list[SaidBox]:
    """Mailboxes of people; what belongs to no person cannot be restored alone."""
    rows = (_box(row) for row in told.rows(result_of(job), "mailboxes", MOST))
    return [box for box in rows if box]


def folders(job: Job) -> list[SaidFolder]:
    rows = told.rows(result_of(job), "folders", MOST)
    return [_folder(row) for row in rows if is_folder(row.get("folder"))]


def has_more(job: Job) -> bool:
    return result_of(job).get("more") is True


def restored(job: Job) -> Restored:
    said = result_of(job)
    name = clean(told.text(said, "folder", FOLDER))
    return Restored(
        name, told.whole(said, "folders"), told.whole(said, "messages"), told.whole(said, "bytes")
    )


def clean(text: str) -> str:
    """Without what is not seen, or changes how the rest is read."""
    return CONTROL.sub(" ", text).strip()


def is_folder(value: object) -> bool:
    """As the agent takes it back: a directory's name beginning with a dot, or nothing for the inbox."""
    if not isinstance(value, str) or len(value) > FOLDER or "/" in value or "\0" in value:
        return False
    return value == "" or (value.startswith(".") and value not in (".", ".."))


def _box(row: Mapping[str, Any]) -> SaidBox | None:
    ident = uuid_of(row.get("id"))
    if ident is None:
        return None
    address = clean(told.text(row, "address", ADDRESS))
    return SaidBox(
        ident, address, told.whole(row, "messages"), told.whole(row, "bytes"), told.moment(row, "newest")
    )


def _folder(row: Mapping[str, Any]) -> SaidFolder:
    return SaidFolder(
        row["folder"], told.whole(row, "messages"), told.whole(row, "bytes"), told.moment(row, "newest")
    )


def uuid_of(value: object) -> UUID | None:
    """Only in the one spelling in which it goes back to the host."""
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and str(found) == value else None
