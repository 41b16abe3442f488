"""Writing down what happened."""

import math
import re
from typing import Any
from uuid import UUID

from audit.context import reference
from audit.models import Event

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def record(
    action: str, /, *, by: str, account: UUID | None = None, subject: str = "", **facts: object
) -> None:
    """Writes an event in the caller's transaction; without an account it is the house's own.

    `action` is noun.verb; `by` is such as "user:12", "staff:3", "gumroad" or "program:Provision".
    """
    if not ACTION.fullmatch(action):
        raise ValueError(f"an action is noun.verb, not {action!r}")
    Event.objects.create(
        action=action,
        by=_clean(by),
        account_id=account,
        subject=_clean(subject),
        facts=plain(facts),
        reference=reference(),
    )


def plain(value: object) -> Any:
    """The value as JSON that Postgres takes: facts often come from outside and must never stop what they tell of."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {_clean(str(name)): plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case set() | frozenset():
            return [plain(part) for part in sorted(value, key=str)]
    return _clean(str(value))


def _clean(text: str) -> str:
    """Without what Postgres cannot keep: NUL and halves of characters."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
