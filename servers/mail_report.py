"""What a report says of the mail system, reduced to known fields of the right kind: a server's root may send anything."""

import re
from collections.abc import Callable
from typing import Any

TEXT, WHY = 100, 300  # characters
MOST = 50  # entries of a list
MAILBOXES = 1000
TXT = 1000  # characters of a DKIM record
Cleaner = Callable[[Any], Any]


def number(value: Any) -> float | None:
    """A finite figure that is not negative, to six places."""
    return round(float(value), 6) if type(value) in (int, float) and 0 <= value <= 1e15 else None


def whole(value: Any) -> int:
    figure = number(value)
    return 0 if figure is None else int(figure)


def flag(value: Any) -> bool:
    return value is True


def text(most: int = TEXT) -> Cleaner:
    """Words without control characters."""

    def clean(value: Any) -> str:
        return re.sub(r"[\x00-\x1f\x7f]+", " ", value[:most]).strip() if isinstance(value, str) else ""

    return clean


def some(cleaner: Cleaner, most: int = MOST) -> Cleaner:
    """At most so many entries of a list."""

    def clean(value: Any) -> list[Any]:
        return [cleaner(one) for one in value[:most]] if isinstance(value, list) else []

    return clean


def fields(cleaners: dict[str, Cleaner]) -> Cleaner:
    """An object with exactly these fields."""

    def clean(value: Any) -> dict[str, Any]:
        said = value if isinstance(value, dict) else {}
        return {name: cleaner(said.get(name)) for name, cleaner in cleaners.items()}

    return clean


def maybe(cleaner: Cleaner) -> Cleaner:
    """Nothing, or an object."""

    def clean(value: Any) -> Any:
        return cleaner(value) if isinstance(value, dict) else None

    return clean


def named(cleaner: Cleaner, most: int = MOST) -> Cleaner:
    """At most so many entries by their name."""
    name_of = text(254)

    def clean(value: Any) -> dict[str, Any]:
        said = value if isinstance(value, dict) else {}
        return {name_of(name): cleaner(one) for name, one in list(said.items())[:most]}

    return clean


def usage(value: Any) -> list[int]:
    """Bytes, messages, recipients of the last day."""
    said = value if isinstance(value, list) else []
    return [whole(said[n]) if n < len(said) else 0 for n in range(3)]


BAN = fields({"address": text(), "jail": text(), "at": number, "until": number})
FIX = fields(
    {
        "package": text(), "from": text(), "to": text(), "security": flag, "published_at": number, "applied_at": number,
    }
)  # fmt: skip
CERTIFICATE = fields(
    {
        "name": text(254), "until": number, "issuer": text(), "names": some(text(254)), "waiting": some(text(254)),
        "error": text(WHY),
    }
)  # fmt: skip
CANARY = fields({"at": number, "seconds": number, "misses": whole, "way": text(20), "error": text(WHY)})
PATCHES = fields(
    {
        "checked_at": number,
        "pending": some(FIX),
        "applied": some(FIX, 20),
        "reboot_needed": flag,
        "booted_at": number,
        "taken_back": some(
            fields({"package": text(), "version": text(), "why": text(WHY), "at": number}), 20
        ),
        "after": maybe(fields({"at": number, "ok": flag, "why": text(WHY)})),
    }
)
MAIL = fields(
    {
        "generation": whole,
        "taken_back": maybe(fields({"at": number, "generation": whole, "why": text(WHY)})),
        "probes": named(text(WHY), 20),
        "probed_at": number,
        "queue": maybe(
            fields({"active": whole, "deferred": whole, "hold": whole, "oldest": number, "why": text(WHY)})
        ),
        "bans": maybe(fields({"now": whole, "latest": some(BAN, 20)})),
        "certificates": some(CERTIFICATE),
        "canary": maybe(CANARY),
        "patches": maybe(PATCHES),
        "mailboxes": named(usage, MAILBOXES),
        "stopped": some(fields({"mailbox": text(254), "at": number, "why": text(WHY), "releases": whole})),
        "erased": some(fields({"id": text(36), "at": number}), 200),
        "letters": some(fields({"id": text(36), "at": number, "code": whole, "answer": text(WHY)}), 20),
        "dkim": named(fields({"selector": text(63), "txt": text(TXT)})),
        "errors": named(text(WHY), 20),
    }
)


def kept(value: Any) -> dict[str, Any] | None:
    """The field `mail` of a report as it is kept, or None where the host has no mail system of ours."""
    return MAIL(value) if isinstance(value, dict) else None
