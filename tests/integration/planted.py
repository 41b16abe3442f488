"""Secrets that a test plants, and the search for them, in every form in which one may have been written down."""

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote, quote_plus

PART = 12  # bytes that are as good as the whole
Places = Mapping[str, bytes]  # what lies at a place, such as "table:audit_event"


@dataclass(frozen=True)
class Planted:
    """What must be found nowhere; `name` says whose it is and how it got in."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Found:
    """A secret that lies somewhere."""

    name: str
    place: str
    form: str


@dataclass(frozen=True)
class Allowed:
    """What must lie there after all; `name` and `place` are patterns with stars, several places with bars between."""

    name: str
    place: str
    why: str

    def covers(self, found: Found) -> bool:
        places = self.place.split(" | ")
        return fnmatchcase(found.name, self.name) and any(fnmatchcase(found.place, one) for one in places)


def forms(value: bytes) -> dict[str, bytes]:
    """The secret as it may stand in a log, a table or a message, by the form's name."""
    written = _written(value)
    both = {name: written[name] for name in ("plain", "json") if name in written}
    coded = {f"{how} of {name}": data for name, text in both.items() for how, data in _coded(text)}
    return {**written, **coded, **_parts(value)}


def _parts(value: bytes) -> dict[str, bytes]:
    """Its ends, because what is cut off tells as well."""
    long = len(value) >= 3 * PART
    return {"its beginning": value[:PART], "its end": value[-PART:]} if long else {}


def _written(value: bytes) -> dict[str, bytes]:
    """As text is escaped; what is no text is only itself and its repr."""
    found = {"plain": value, "bytes repr": repr(value)[2:-1].encode()}
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return found
    once = json.dumps(text)[1:-1]
    escaped = {
        "json": once,
        "json in json": json.dumps(once)[1:-1],
        "json as UTF-8": json.dumps(text, ensure_ascii=False)[1:-1],
        "repr": repr(text)[1:-1],
        "ascii": ascii(text)[1:-1],
        "html": html.escape(text),
        "html by numbers": text.encode("ascii", "xmlcharrefreplace").decode(),
        "url": quote(text, safe=""),
        "url path": quote(text),
        "url form": quote_plus(text),
        "sql": text.replace("'", "''"),
    }
    lower = {
        "url in small letters": _small(escaped["url"]),
        "form in small letters": _small(escaped["url form"]),
    }
    return found | {name: written.encode() for name, written in {**escaped, **lower}.items()}


def _small(text: str) -> str:
    """With the digits of percent signs as some libraries write them."""
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _coded(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Base64 wherever it may begin within a longer text, and hexadecimal."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + value)
        inner = whole[(0, 2, 3)[shift] : (shift + len(value)) * 8 // 6]
        yield f"base64 at {shift}", inner
        yield f"base64 for URLs at {shift}", inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield "hex", value.hex().encode()
    yield "HEX", value.hex().upper().encode()


def search(planted: Iterable[Planted], places: Places) -> list[Found]:
    """Where each of them lies, told once for each place."""
    found = []
    for secret in planted:
        assert len(secret.value) >= 8, f"{secret.name} is so short that it is found by chance"
        wanted = forms(secret.value)
        for place, data in places.items():
            form = next((name for name, text in wanted.items() if text in data), None)
            if form:
                found.append(Found(secret.name, place, form))
    return found


def forbidden(found: Iterable[Found], allowed: Iterable[Allowed]) -> list[Found]:
    """What no exception covers."""
    exceptions = list(allowed)
    return [one for one in found if not any(each.covers(one) for each in exceptions)]


def unused(found: Iterable[Found], allowed: Iterable[Allowed]) -> list[Allowed]:
    """Exceptions for which there is no need any more."""
    there = list(found)
    return [each for each in allowed if not any(each.covers(one) for one in there)]
