"""The body of a ping, byte for byte as Gumroad's worker makes it.

Source: HTTParty::HashConversions in https://github.com/jnunemaker/httparty, and the worker in https://github.com/antiwork/gumroad,
which encodes brackets within a name before HTTParty encodes the whole key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote


def encode(fields: dict[str, Any]) -> bytes:
    """A form with nested keys: nothing is an empty text, yes and no are words, a list repeats `key[]`."""
    pairs = (pair for key, value in fields.items() for pair in _pairs(_name(key), value))
    return "&".join(f"{quote(key, safe='')}={quote(_text(value), safe='')}" for key, value in pairs).encode()


def _pairs(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            yield from _pairs_of_dict(key, value)
        case list():
            for inner in value or [None]:
                yield from _pairs(f"{key}[]", inner)
        case _:
            yield key, value


def _pairs_of_dict(key: str, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is deeper comes after what is not."""
    for name, inner in sorted(value.items(), key=lambda item: isinstance(item[1], dict)):
        yield from _pairs(f"{key}[{_name(name)}]", inner)


def _name(text: str) -> str:
    return text.replace("[", "%5B").replace("]", "%5D")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)
