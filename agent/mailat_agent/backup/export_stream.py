"""A file on its way into the storage, a part at a time: nothing of it is kept but the part that is being filled."""

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from .gate import Gate, Later
from .run import Trouble
from .wire import CHUNK, Cut, Wires

PATIENCE = 900.0  # seconds for which one part, or one question, is tried again
LONGEST_PAUSE = 30.0
REFUSALS = {
    "full": "the storage takes no more: delete exports that you have fetched",
    "not_asked": "it is not asked for any more",
    "incomplete": "the storage does not have all that was sent",
}

Said = dict[str, Any]


class Stream:
    """What a ZIP is written into. `before` is called before each part is sent, and may raise; `kib_s` is the most a second."""

    def __init__(
        self, gate: Gate, wires: Wires, export: str, part: int, kib_s: int | None, before: Callable[[], None]
    ) -> None:
        self._gate, self._wires, self._export, self._before = gate, wires, export, before
        self._kib_s, self._began = kib_s, time.monotonic()
        self._held, self._filled = bytearray(part), 0
        self._whole = sha256()
        self.bytes = self.parts = 0

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._whole.hexdigest()

    def write(self, piece: bytes) -> int:
        """Takes it all; a part that is full is in the storage before this returns. Raises Trouble, Later, Closed."""
        self._whole.update(piece)
        view, place = memoryview(piece), 0
        while place < len(view):
            some = min(len(view) - place, len(self._held) - self._filled)
            self._held[self._filled : self._filled + some] = view[place : place + some]
            self._filled, place = self._filled + some, place + some
            if self._filled == len(self._held):
                self._send()
        self.bytes += len(view)
        return len(view)

    def flush(self) -> None:
        """Parts leave when they are full."""

    def finish(self, messages: int, skipped: int) -> None:
        """The last part leaves, and the file is made of all. Raises Trouble, Later, Closed."""
        if self._filled:
            self._send()
        facts = {"bytes": self.bytes, "sha256": self.sha256, "messages": messages, "skipped": skipped}
        asked(self._gate, {"do": "export_done", "export": self._export, **facts})

    def _send(self) -> None:
        self._before()
        self._keep_pace()
        content = memoryview(self._held)[: self._filled]
        self.parts += 1
        wish = {"do": "export_part", "export": self._export, "number": self.parts, "bytes": len(content),
                "sha256": sha256(content).hexdigest()}  # fmt: skip
        patiently(lambda: self._put(wish, content))
        self._filled = 0

    def _put(self, wish: Said, content: memoryview) -> None:
        """Once more with a new address is as good as the first time: a part takes the place of its number."""
        said = asked(self._gate, wish)
        headers = {str(name).lower(): str(value) for name, value in (said.get("headers") or {}).items()}
        headers.pop("host", None)
        headers.setdefault("content-length", str(len(content)))
        try:
            answer = self._wires.request("PUT", str(said.get("url")), headers, _pieces(content))
            try:
                while answer.read():
                    pass
            finally:
                answer.done()
        except Cut as trouble:
            raise Later(f"the storage: {trouble}") from None
        if answer.status not in (200, 201, 204):
            raise Later(f"the storage answered {answer.status}")

    def _keep_pace(self) -> None:
        if self._kib_s:
            ahead = self.bytes / (self._kib_s * 1024) - (time.monotonic() - self._began)
            time.sleep(max(0.0, ahead))


def asked(gate: Gate, question: Said) -> Said:
    """What the door says; raises Trouble where it says no, Later or Closed where nothing is to be had of it."""
    said = patiently(lambda: gate.call(question))
    if refused := said.get("refused"):
        raise Trouble(REFUSALS.get(str(refused), "the storage door does not take it"))
    return said


def patiently(work: Callable[[], Any]) -> Any:
    """Tries again with growing pauses; after a quarter of an hour raises Later."""
    end, pause = time.monotonic() + PATIENCE, 0.5
    while True:
        try:
            return work()
        except Later:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _pieces(content: memoryview) -> Iterator[Any]:
    for place in range(0, len(content), CHUNK):
        yield content[place : place + CHUNK]
