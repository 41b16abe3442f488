"""A customer takes mail along: each mailbox as one ZIP, written straight into the storage, for whoever asked for it to fetch."""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..mail.chore import Situation
from ..mail.state import Mailbox
from . import export_words as words
from .export_formats import FORMATS
from .export_mail import Box, box
from .export_names import Names
from .export_stream import Stream, asked
from .export_zip import Zip
from .run import Repository, Trouble
from .wanted import Job
from .wire import Wires

SECOND = 1.0  # between two words about how far it is
MOST_TOLD = 3


Told = dict[str, int]


class Left(Exception):
    """The mailbox is not served any more: nothing of it is given to anybody."""


@dataclass
class Going:
    """How far a job is: bytes of mail, of all mailboxes that are still to be done."""

    repository: Repository
    total: int
    done: int = 0
    messages: int = 0
    _began: float = field(default_factory=time.monotonic)
    _told: float = 0.0

    def seen(self, size: int) -> None:
        """One message more."""
        self.done, self.messages = self.done + size, self.messages + 1
        if time.monotonic() >= self._told + SECOND:
            self._told = time.monotonic()
            self.tell()

    def skip(self, size: int) -> Told:
        """A mailbox that was done before counts as done."""
        self.done += size
        return {"messages": 0, "bytes": 0, "skipped": 0}

    def tell(self) -> None:
        gone = time.monotonic() - self._began
        left = gone * (self.total - self.done) / self.done if self.done else 0
        said = {"bytes_done": self.done, "total_bytes": self.total, "seconds_remaining": round(max(0, left))}
        self.repository.phase("export", said)


@dataclass(frozen=True)
class Export:
    """`home_of` says where a mailbox that is served lives; `meanwhile` is called before each part that is sent."""

    repository: Repository
    situation: Callable[[], Situation | None]
    home_of: Callable[[str], Path | None]
    meanwhile: Callable[[], None]

    def run(self, job: Job) -> dict[str, Any]:
        """What was exported; raises Trouble, Later, Closed. Done again it goes on with the mailbox that it was at."""
        if job.format not in FORMATS:
            raise Trouble("this agent does not know this format")
        boxes = {one: self._size(one) for one in self._served() if job.mailbox in ("", one.id)}
        if not boxes:
            raise Trouble("this mailbox is not served" if job.mailbox else "no mailbox is served")
        going = Going(self.repository, sum(boxes.values()))
        told, lost = [], []
        for one, size in boxes.items():
            try:
                told.append(self._mailbox(job, one, going) or going.skip(size))
            except Left:
                lost.append(f"{one.address} is not served any more")
            except OSError as error:
                lost.append(f"{one.address}: refused by the system: {error.strerror}")
            self._went_on(job)
        return _summed(told, lost)

    def _served(self) -> tuple[Mailbox, ...]:
        situation = self.situation()
        return situation.mail.mailboxes if situation else ()

    def _opened(self, one: Mailbox) -> AbstractContextManager[Box]:
        home, places = self.home_of(one.id), self.repository.host.places
        if home is None:
            raise Left
        return box(places.mail, home, places.scratch / "export")

    def _size(self, one: Mailbox) -> int:
        with contextlib.suppress(OSError, Left), self._opened(one) as lying:
            return lying.size()
        return 0

    def _mailbox(self, job: Job, one: Mailbox, going: Going) -> Told | None:
        """What it has; None where an earlier try of this job brought it already."""
        said = asked(self.repository.gate, {"do": "export_begin", "job": job.id, "mailbox": one.id})
        if said.get("ready") is True:
            return None
        wires = Wires()
        try:
            stream = Stream(
                self.repository.gate, wires, str(said["export"]), int(said["part"]), self.repository.wanted.kib_s,
                lambda: self._before_a_part(one),
            )  # fmt: skip
            return self._written(job, one, stream, going)
        finally:
            wires.close()

    def _before_a_part(self, one: Mailbox) -> None:
        if all(other.id != one.id for other in self._served()):
            raise Left
        self.meanwhile()

    def _written(self, job: Job, one: Mailbox, stream: Stream, going: Going) -> Told:
        zip, before = Zip(stream, self.repository.host.places.scratch), going.messages
        try:
            with self._opened(one) as lying:
                lying.hold()
                self._words(zip, lying, one, job.format)
                skipped = FORMATS[job.format](lying, zip, going.seen)
            zip.finish()
        finally:
            zip.close()
        messages = going.messages - before - skipped
        stream.finish(messages, skipped)
        going.tell()
        return {"messages": messages, "bytes": stream.bytes, "skipped": skipped}

    def _words(self, zip: Zip, lying: Box, one: Mailbox, format: str) -> None:
        now = time.time()
        situation = self.situation()
        if situation is None:
            raise Left
        said = words.settings(lying, one, situation.mail)
        texts = {
            "README.txt": words.readme(lying, one, format, now),
            "settings.txt": words.as_text(said),
            "settings.json": words.as_json(said),
        }
        for name, text in texts.items():
            zip.add(name, [text.encode()], now)
        names = Names()
        for name, script in lying.scripts():
            zip.add(names.take(["sieve", name], ".sieve"), [script], now)

    def _went_on(self, job: Job) -> None:
        """A job that gets on is not given up, however often it is cut off."""
        state = self.repository.state
        state.set(tries={**state.tries, job.id: 1})


def _summed(told: list[Told], lost: list[str]) -> dict[str, Any]:
    """Raises Trouble where a mailbox could not be exported; the others are there all the same."""
    if lost:
        raise Trouble("; ".join(lost[:MOST_TOLD]))
    sums = {name: sum(one[name] for one in told) for name in ("messages", "bytes", "skipped")}
    return {"mailboxes": len(told), **sums}
