"""Objects on their way between restic and the storage, a piece at a time."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any, Protocol

from .gate import Gate, Later, Name, Object
from .wire import CHUNK, Answer, Cut, Wires

GOOD = 600.0  # seconds that an address is used; the gate's are good for longer, and its clock is not ours
AHEAD = 50  # of a kind that restic reads as a whole, as many addresses are asked for at once
READ_AS_A_WHOLE = ("index", "snapshots", "keys")
LONGEST_CONFIG = 64 * 1024  # bytes
REMEMBERED = 5000  # addresses
FOR_NOW = ("later", "trashed")  # an address of before may still bring it; it is about to be deleted
PASSED_ON = ("Content-Length", "Content-Range")


class NotThere(Exception):
    """The repository has no such object."""


class Readable(Protocol):
    """What bytes come from."""

    def read(self, most: int, /) -> bytes: ...


class Body:
    """What restic sends: exactly `left` more bytes, or a Cut."""

    def __init__(self, file: Readable, length: int) -> None:
        self.file, self.length, self.left = file, length, length

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            piece = self.file.read(min(CHUNK, self.left))
            if not piece:
                raise Cut("restic went away")
            self.left -= len(piece)
            yield piece


class Source:
    """What the storage sends; `whole` once it all came."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        self.left = int(self.headers.get("Content-Length", "0"))
        self.whole = False
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._answer.read():
            self.left -= len(piece)
            yield piece
        self.whole = self.left == 0


class Passing:
    """Asks the gate for addresses, and remembers those that are still good."""

    def __init__(self, gate: Gate, wires: Wires | None = None) -> None:
        self.gate, self.wires = gate, wires or Wires()
        self._addresses: dict[Name, tuple[float, str]] = {}
        self._listed: dict[str, list[str]] = {}
        self.hidden: set[str] = set()  # kinds whose lists are empty for restic
        self._lock = threading.Lock()

    def take(self, name: Name, body: Body) -> str:
        """Store what restic sends, under the name that its bytes give it; why it may not be, or "". Raises Later, Cut."""
        pieces: Iterator[bytes] = iter(body)
        if name.kind == "config":
            held = _held(body)
            name, pieces = replace(name, sha256=sha256(held).hexdigest()), iter([held])
        name = replace(name, bytes=body.length)
        said = self.gate.write(name)
        if said.get("refused") in FOR_NOW:
            raise Later("the storage door asks for patience")
        if said.get("refused"):
            return str(said["refused"])
        if said.get("there") is True:
            self._compare(name, pieces)
            return ""
        self._send(name, said, pieces)
        if not self.gate.wrote(name):
            raise Later("the storage does not have what it took")
        return ""

    def _send(self, name: Name, said: Object, pieces: Iterator[bytes]) -> None:
        headers = {str(key).lower(): str(value) for key, value in (said.get("headers") or {}).items()}
        headers.pop("host", None)
        if headers.setdefault("content-length", str(name.bytes)) != str(name.bytes):
            raise Later("the address is for another length")
        answer = self.wires.request("PUT", str(said.get("url")), headers, _checked(name, pieces))
        try:
            while answer.read():
                pass
        finally:
            answer.done()
        if answer.status not in (200, 201, 204):
            raise Later(f"the storage answered {answer.status}")

    def _compare(self, name: Name, pieces: Iterator[bytes]) -> None:
        for _piece in _checked(name, pieces):
            pass

    @contextmanager
    def reading(self, name: Name, part: str = "") -> Iterator[Source]:
        """The object, or the `part` of it that a Range header names; raises NotThere, Later, Cut."""
        answer = self.wires.request("GET", self._address(name), {"Range": part} if part else {})
        try:
            self._look_at(answer, name)
            yield Source(answer)
        finally:
            answer.done()

    def size(self, name: Name) -> int:
        """Bytes of an object; raises NotThere, Later, Cut. An address for reading is none for a HEAD."""
        with self.reading(name, "bytes=0-0") as source:
            for _piece in source:
                pass
            total = source.headers.get("Content-Range", "").rpartition("/")[2]
            return int(total) if total.isdigit() else int(source.headers.get("Content-Length", "0"))

    def listed(self, kind: str) -> Iterator[str]:
        """The members of the JSON list of a kind, some hundreds in a text; raises Later, Closed."""
        names: list[str] = []
        page: list[dict[str, Any]] = []
        for name, size in self.gate.listed(kind) if kind not in self.hidden else ():
            names.append(name)
            page.append({"name": name, "size": size})
            if len(page) == 500:
                yield _members(page)
                page = []
        if kind in READ_AS_A_WHOLE:
            self._listed[kind] = names
        if page:
            yield _members(page)

    def remove(self, name: Name) -> str:
        """Why it stays, or ""."""
        self._forget(name)
        return self.gate.remove(name)

    def _look_at(self, answer: Answer, name: Name) -> None:
        if answer.status in (200, 206, 416):
            return
        self._forget(name)
        if answer.status == 404:
            raise NotThere
        raise Later(f"the storage answered {answer.status}")  # 403: the address ended on the way

    def _address(self, name: Name) -> str:
        with self._lock:
            asked, url = self._addresses.get(name, (0.0, ""))
        return url if url and time.monotonic() < asked + GOOD else self._ask(name)

    def _ask(self, name: Name) -> str:
        names, now = self._soon(name), time.monotonic()
        answers = self.gate.read_many(names) if len(names) > 1 else [self.gate.read(name)]
        with self._lock:
            if len(self._addresses) > REMEMBERED:
                self._addresses.clear()
            for one, answer in zip(names, answers, strict=True):
                if isinstance(answer.get("url"), str):
                    self._addresses[one] = (now, str(answer["url"]))
        if answers[0].get("gone") is True:
            raise NotThere
        if not isinstance(answers[0].get("url"), str):
            raise Later("the storage door gave no address")
        return str(answers[0]["url"])

    def _soon(self, name: Name) -> Sequence[Name]:
        """This one, and those that were listed behind it and have no address yet."""
        listed = self._listed.get(name.kind, [])
        if name.name not in listed:
            return [name]
        place = listed.index(name.name)
        behind = [Name(name.kind, one) for one in listed[place + 1 : place + AHEAD]]
        with self._lock:
            return [name, *(one for one in behind if one not in self._addresses)]

    def _forget(self, name: Name) -> None:
        with self._lock:
            self._addresses.pop(name, None)


def _held(body: Body) -> bytes:
    if body.length > LONGEST_CONFIG:
        raise Cut("this is no config")
    return b"".join(body)


def _checked(name: Name, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces; the last only if all together have the name's hash, so that nothing else is ever whole."""
    digest, before = sha256(), b""
    for piece in pieces:
        if before:
            yield before
        digest.update(piece)
        before = piece
    if digest.hexdigest() != (name.sha256 or name.name):
        raise Cut("what restic sent is not what it named")
    yield before


def _members(page: list[dict[str, Any]]) -> str:
    return json.dumps(page, separators=(",", ":"))[1:-1]
