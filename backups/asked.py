"""What a host asks of the gate, read strictly: a host's root may send anything."""

import re
from dataclasses import dataclass
from typing import Any

from backups.models import Stored

MOST = 500  # objects a call
MOST_BYTES = 128 * 1024
# A pack has 16 MiB; a list of half a million mails in one folder is a single object of some hundreds.
MOST_OBJECT_BYTES = 2**30
HASH = re.compile(r"[0-9a-f]{64}")
KINDS = frozenset(Stored.Kind.values)
CONFIG = Stored.Kind.CONFIG.value


class Nonsense(ValueError):
    """It is not what the protocol says."""


@dataclass(frozen=True)
class Named:
    """An object by its kind and name; the config has no name."""

    kind: str
    name: str

    def plain(self, **more: object) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, **more}


@dataclass(frozen=True)
class Wish(Named):
    """An object that is to be written, with its length and its SHA-256."""

    bytes: int
    sha256: str


def named(said: dict[str, Any]) -> list[Named]:
    """The objects of a call, in their order; each is answered, one that is named twice twice. Raises Nonsense."""
    return [_named(one) for one in _objects(said)]


def wishes(said: dict[str, Any]) -> list[Wish]:
    """The same with lengths; of one that is named twice what was said first counts. Raises Nonsense."""
    found: dict[Named, Wish] = {}
    names = named(said)
    for name, one in zip(names, _objects(said), strict=True):
        found.setdefault(name, Wish(name.kind, name.name, _length(one), _sha256(one, name)))
    return [found[name] for name in names]


def kind(said: dict[str, Any]) -> str:
    """Raises Nonsense."""
    given = said.get("kind")
    if not isinstance(given, str) or given not in KINDS:
        raise Nonsense("kind")
    return given


def after(said: dict[str, Any]) -> str:
    """The last name of the page before, or nothing. Raises Nonsense."""
    given = said.get("after") or ""
    if given and not _is_hash(given):
        raise Nonsense("after")
    return str(given)


def _objects(said: dict[str, Any]) -> list[Any]:
    given = said.get("objects")
    if not isinstance(given, list) or len(given) > MOST:
        raise Nonsense("objects")
    return given


def _named(one: Any) -> Named:
    if not isinstance(one, dict):
        raise Nonsense("object")
    of, name = kind(one), one.get("name", "")
    if of == CONFIG:
        if name not in ("", None):
            raise Nonsense("name")
        return Named(of, "")
    if not _is_hash(name):
        raise Nonsense("name")
    return Named(of, name)


def _length(one: dict[str, Any]) -> int:
    given = one.get("bytes")
    if type(given) is not int or not 0 < given <= MOST_OBJECT_BYTES:
        raise Nonsense("bytes")
    return given


def _sha256(one: dict[str, Any], name: Named) -> str:
    """All but the config are named by it."""
    given = one.get("sha256") if name.kind == CONFIG else name.name
    if not _is_hash(given):
        raise Nonsense("sha256")
    return str(given)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None
