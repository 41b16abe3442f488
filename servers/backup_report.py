"""What a report says of backups, reduced to known fields of the right kind: a server's root may send anything."""

import json
from typing import Any

from servers.mail_report import WHY, fields, flag, maybe, number, some, text, whole

HASH, ID = 64, 36
MOST_POINTS = 800  # a month of hours, and some
MOST_JOBS = 20
LONGEST_RESULT = 16 * 1024  # characters


def small(value: Any) -> dict[str, Any]:
    """What a job found out; a page reads it, so it is bounded as a whole."""
    if not isinstance(value, dict):
        return {}
    try:
        plain = json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return {}
    return json.loads(plain) if len(plain) <= LONGEST_RESULT else {"cut": True}


POINT = fields(
    {"id": text(HASH), "at": number, "bytes": whole, "mailboxes": whole, "messages": whole, "manifest": text(HASH)}
)  # fmt: skip
BACKUP = fields(
    {
        "escrowed": flag,
        "running": maybe(
            fields({"job": text(ID), "phase": text(), "done": number, "total": number, "left": number})
        ),
        "points": some(POINT, MOST_POINTS),
        "last": maybe(fields({"at": number, "seconds": number, "added": number, "files": number, "why": text(WHY)})),
        "next": number,
        "jobs": some(fields({"id": text(ID), "state": text(10), "why": text(WHY), "result": small}), MOST_JOBS),
        "error": text(WHY),
    }
)  # fmt: skip


def kept(value: Any) -> dict[str, Any] | None:
    """The field `backup` of a report, or None where a host makes none."""
    return BACKUP(value) if isinstance(value, dict) else None


def brief(said: dict[str, Any] | None) -> dict[str, Any] | None:
    """What of it stays with the report: points and answers get rows of their own."""
    return said and {name: value for name, value in said.items() if name not in ("points", "jobs")}
