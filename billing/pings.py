"""What a ping of Gumroad's means: pure functions from bytes to what has to be read again.

Source of the encoding: the ping worker in https://github.com/antiwork/gumroad and HTTParty's encoder. A ping is not signed, and
a shop's own checkout fields stand among its keys, so nothing of money or state is believed from it: it only says where to look.
`url_params` is what the buyer's link bore; a signed reference of ours would be found there, in `Reading.fields`.
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from billing.policy import EVENTS, SALE

MOST_BYTES = 256 * 1024  # a ping has about two thousand; from here on only the beginning is kept
MOST_FIELDS = 5_000
DEEPEST = 8
ID = re.compile(r"[A-Za-z0-9_-]{1,70}={0,2}")


@dataclass(frozen=True)
class Reading:
    """The fields as texts, lists and objects, the same for a form and for JSON; `trouble` is why there are none."""

    fields: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""

    def text(self, key: str) -> str:
        """The field if it is a text, else nothing."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else ""

    @property
    def kind(self) -> str:
        """Gumroad's `resource_name`, such as `sale`."""
        return self.text("resource_name")

    @property
    def retries(self) -> str:
        """Which attempt this is: empty for the first, then 1 to 3."""
        return self.text("retry_count")


@dataclass(frozen=True)
class AboutSale:
    """Something happened to this sale: read it, and its subscription, again."""

    sale_id: str


@dataclass(frozen=True)
class AboutSubscription:
    """Something happened to this subscription: read it again.

    `announces` is the tier that it will have `at` a moment (ISO 8601) and `instead_of` another one, if that is said.
    """

    subscription_id: str
    announces: str = ""
    instead_of: str = ""
    at: str = ""


@dataclass(frozen=True)
class NotForUs:
    """Nothing is to be done, and that is as it should be."""

    why: str


@dataclass(frozen=True)
class Puzzling:
    """A person has to look."""

    why: str


Meaning = AboutSale | AboutSubscription | NotForUs | Puzzling


def read(body: bytes, content_type: str) -> Reading:
    """The fields of a ping; whatever the bytes are, this answers and does not raise."""
    if len(body) >= MOST_BYTES:
        return Reading(trouble=f"it is longer than {MOST_BYTES // 1024} KiB; only its beginning was kept")
    if not body.strip():
        return Reading(trouble="it is empty")
    try:
        as_json = "json" in content_type.lower() or body.lstrip().startswith(b"{")
        return Reading(_of_json(body) if as_json else _of_form(body))
    except (ValueError, RecursionError) as error:
        return Reading(trouble=f"it cannot be read: {type(error).__name__}")


def meaning(reading: Reading) -> Meaning:
    """Which sale or subscription is to be read again, if any."""
    if reading.trouble:
        return Puzzling(reading.trouble)
    if _is_test(reading):
        return NotForUs("a test from Gumroad's settings, or a purchase by the seller, which costs nothing")
    event = EVENTS.get(reading.kind)
    if event is None:
        return Puzzling(f"its kind “{reading.kind[:40]}” is not known")
    if event.about == SALE:
        return _id(reading, "sale_id", AboutSale)
    about = _id(reading, "subscription_id", AboutSubscription)
    return _with_announcement(about, reading) if isinstance(about, AboutSubscription) else about


About = TypeVar("About", AboutSale, AboutSubscription)


def _id(reading: Reading, key: str, about: type[About]) -> About | Puzzling:
    value = reading.text(key)
    if _typed_by_the_buyer(reading, key):
        return Puzzling(f"a checkout field of the shop is named “{key}” and hides the real one")
    if not ID.fullmatch(value):
        return Puzzling(f"its “{key}” is missing or no id")
    return about(value)


def _with_announcement(about: AboutSubscription, reading: Reading) -> AboutSubscription:
    """Only a change of plan has a new plan; what it says is shown to people, and acted upon only when it is charged."""
    if reading.kind != "subscription_updated":
        return about
    tier = _tier(reading, "new_plan") or "an unnamed tier"
    return replace(
        about, announces=tier, instead_of=_tier(reading, "old_plan"), at=reading.text("effective_as_of")[:40]
    )


def _tier(reading: Reading, key: str) -> str:
    plan = reading.fields.get(key)
    tier = plan.get("tier") if isinstance(plan, dict) else None
    name = tier.get("name") if isinstance(tier, dict) else None
    return name[:80] if isinstance(name, str) and name.strip() else ""


def _is_test(reading: Reading) -> bool:
    return reading.text("test") == "true" and not _typed_by_the_buyer(reading, "test")


def _typed_by_the_buyer(reading: Reading, key: str) -> bool:
    """A checkout field of this name lies over Gumroad's own key, so the value may be anything."""
    typed = reading.fields.get("custom_fields")
    return isinstance(typed, dict) and key in typed and typed[key] == reading.fields.get(key)


def _of_json(body: bytes) -> dict[str, Any]:
    value = _plain(json.loads(body))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _plain(value: object) -> Any:
    """JSON's values as a form would have them: yes, no, nothing and numbers become texts."""
    match value:
        case dict():
            return {_storable(str(key)): _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case str():
            return _storable(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)


def _of_form(body: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    text = body.decode("utf-8", "replace")
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    for key, value in pairs:
        _put(fields, _parts(key), _storable(value))
    return fields


def _parts(key: str) -> list[str]:
    """`a[b][]` as a, b and an empty part; a bracket inside a name was encoded once more and is restored here."""
    head, bracket, rest = key.partition("[")
    inner = rest[:-1].split("][") if bracket and rest.endswith("]") else None
    if inner is None or not head or len(inner) > DEEPEST:
        return [_name(key)]
    return [_name(part) for part in (head, *inner)]


def _name(part: str) -> str:
    for encoded, bracket in (("%5B", "["), ("%5b", "["), ("%5D", "]"), ("%5d", "]")):
        part = part.replace(encoded, bracket)
    return _storable(part)


def _put(fields: dict[str, Any], parts: list[str], value: str) -> None:
    """Walks down and puts the value there; where two shapes meet under one key, the deeper one stays."""
    *way, last = parts
    many = last == "" and bool(way)
    if many:
        *way, last = way
    for part in way:
        inner = fields.get(part)
        if not isinstance(inner, dict):
            inner = fields[part] = {}
        fields = inner
    if many:
        there = fields.get(last)
        fields[last] = [*(there if isinstance(there, list) else []), value]
    elif not isinstance(fields.get(last), dict | list):
        fields[last] = value


def _storable(text: str) -> str:
    """Postgres takes neither NUL nor half a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
