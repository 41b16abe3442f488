"""A test mail that an order asks for, to see whether mail leaves and what the way out says to it."""

from dataclasses import dataclass
from typing import Any

from .patterns import ADDRESS, ID, Malformed


@dataclass(frozen=True)
class Letter:
    """One test mail; its id is known to who asked for it, and it is never sent twice."""

    id: str
    to: str
    sender: str


def read(fields: dict[str, Any]) -> Letter:
    """An entry of the order's `letters`; raises Malformed."""
    values = [fields.get(name) for name in ("id", "to", "from")]
    patterns = (ID, ADDRESS, ADDRESS)
    texts = [
        value
        for value, pattern in zip(values, patterns, strict=True)
        if isinstance(value, str) and pattern.fullmatch(value)
    ]
    if len(texts) < len(patterns):
        raise Malformed("letters")
    return Letter(*texts)
