"""The storage door of the control plane: it signs addresses for objects of this host's own prefix, and counts them.

PROTOCOL.md, "The storage door". Every question may be asked again, so a lost answer costs nothing.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .. import __version__
from .together import Together
from .wire import Answer, Cut, Wires

PATH = "/agent/v1/storage"
MOST = 200  # objects in a call; the door takes 500, and 128 KiB
LONGEST_ANSWER = 2 * 1024 * 1024  # bytes: 1,000 objects of a list, 500 addresses
LONGEST_WAIT = 30.0  # seconds that one question waits because it was asked to come later
WHOLE_SECONDS = 120.0  # of one exchange, however it drips

CONFIG = "config"  # the one object without a name

Object = dict[str, Any]


class Closed(Exception):
    """The door stays shut however often one knocks; the text says why."""


class Later(Exception):
    """No usable answer this time; the text says why."""


@dataclass(frozen=True)
class Name:
    """An object as restic knows it; `bytes` where it is to be written, `sha256` only of the config, which has no name."""

    kind: str
    name: str
    bytes: int = 0
    sha256: str = ""

    def fields(self) -> Object:
        """As the protocol has it."""
        sized: Object = {"bytes": self.bytes} if self.bytes else {}
        return {
            "kind": self.kind,
            "name": self.name,
            **sized,
            **({"sha256": self.sha256} if self.sha256 else {}),
        }


class Gate:
    """Speaks for one host; threads that ask the same at the same time share a call."""

    def __init__(self, control: str, bearer: str, wires: Wires | None = None) -> None:
        self._url, self._bearer = control + PATH, bearer
        self._wires = wires or Wires()
        self._not_before = 0.0
        self._asking = {do: self._batch(do) for do in ("write", "wrote", "read", "remove")}
        self._lock = threading.Lock()

    def write(self, name: Name) -> Object:
        """`url`, `headers` and `until`, or `there`, or `refused`."""
        return self._asking["write"].ask(name)

    def wrote(self, name: Name) -> bool:
        """Whether the storage has it, whole, by the door's own look."""
        return self._asking["wrote"].ask(name).get("there") is True

    def read(self, name: Name) -> Object:
        """`url` and `until`, or `gone`."""
        return self._asking["read"].ask(name)

    def read_many(self, names: Sequence[Name]) -> list[Object]:
        """The same for several that will be read soon."""
        return self._objects("read", names)

    def remove(self, name: Name) -> str:
        """Why it stays, "" if it goes."""
        said = self._asking["remove"].ask(name)
        return "" if said.get("removed") is True else str(said.get("refused") or "not said")

    def listed(self, kind: str) -> Iterator[tuple[str, int]]:
        """Names and bytes of all that is kept of a kind, in the order of names."""
        after = ""
        while True:
            answer = self.call({"do": "list", "kind": kind, "after": after})
            objects = _list(answer)
            yield from objects
            if answer.get("more") is not True or not objects or objects[-1][0] <= after:
                return
            after = objects[-1][0]

    def escrow(self, sealed: str, key: str) -> str:
        """Hand the sealed password over; why it is not kept, or ""."""
        said = self.call({"do": "escrow", "sealed": sealed, "key": key})
        return "" if said.get("kept") is True else str(said.get("why") or "not said")

    def call(self, question: Object) -> Object:
        """One exchange; raises Later or Closed."""
        self._wait_as_told()
        body = json.dumps(question).encode()
        try:
            answer = self._wires.request("POST", self._url, self._headers(len(body)), body)
            return self._judged(answer, _whole(answer))
        except Cut as trouble:
            raise Later(f"the storage door: {trouble}") from None

    def _batch(self, do: str) -> Together[Name, Object]:
        return Together(lambda names: self._objects(do, names), MOST)

    def _objects(self, do: str, names: Sequence[Name]) -> list[Object]:
        """What is said of each; asked twice at once, an object is named once."""
        once = list(dict.fromkeys(names))
        answer = self.call({"do": do, "objects": [name.fields() for name in once]})
        objects = answer.get("objects")
        said = (
            {_of(one): one for one in objects if isinstance(one, dict)} if isinstance(objects, list) else {}
        )
        if any((name.kind, name.name) not in said for name in once):
            raise Later("the storage door answered about something else")
        return [said[name.kind, name.name] for name in names]

    def _headers(self, length: int) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._bearer}",
            "Content-Type": "application/json",
            "Content-Length": str(length),
            "User-Agent": f"mailat-agent/{__version__}",
        }

    def _judged(self, answer: Answer, raw: bytes) -> Object:
        if answer.status in (401, 403, 409, 410):
            raise Closed(_said(raw) or f"the storage door answered {answer.status}")
        if answer.status != 200:
            self._come_later(answer)
            raise Later(f"the storage door answered {answer.status}")
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            raise Later("the storage door answered no JSON") from None
        if not isinstance(said, dict):
            raise Later("the storage door answered something else")
        return said

    def _come_later(self, answer: Answer) -> None:
        value = answer.headers.get("Retry-After", "")
        if value.isascii() and value.isdigit() and len(value) < 9:
            with self._lock:
                self._not_before = time.monotonic() + min(float(value), LONGEST_WAIT)

    def _wait_as_told(self) -> None:
        wait = self._not_before - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def _whole(answer: Answer) -> bytes:
    pieces, length, end = [], 0, time.monotonic() + WHOLE_SECONDS
    try:
        while piece := answer.read():
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_ANSWER or time.monotonic() > end:
                raise Later("the storage door's answer was too long")
        return b"".join(pieces)
    finally:
        answer.done()


def _of(said: Object) -> tuple[str, str]:
    return str(said.get("kind")), "" if said.get("kind") == CONFIG else str(said.get("name"))


def _list(answer: Object) -> list[tuple[str, int]]:
    try:
        return [(str(one["name"]), int(one["bytes"])) for one in answer["objects"]]
    except (KeyError, TypeError, ValueError):
        raise Later("the storage door answered something else") from None


def _said(raw: bytes) -> str:
    """The door's fixed word for it, where it is one."""
    try:
        word = json.loads(raw)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return word if isinstance(word, str) and len(word) <= 60 and word.replace(" ", "").isalnum() else ""
