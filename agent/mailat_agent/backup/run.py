"""What is done with a repository: made, added to, tidied, and asked what it has."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ..hpke import CannotOpen
from . import manifest, password, points, staging
from .gate import Gate
from .passing import Passing
from .places import Places
from .points import Point
from .rest import CONFIG, Rest
from .restic import Failed, Restic, Seen
from .state import State
from .wanted import Wanted

LOCK = "lock"
HOST = "mailat"  # whatever the machine is called, its points are of one series
UNUSED = "5%"  # of the repository may be pieces that no point needs, in packs with others that are needed
REPACKED = (
    0.01  # of the repository, at most, is stored anew by one prune: the gate lets half of it go in a day
)
REPACKED_ANYWAY = 24 * 1024 * 1024  # bytes; more than a pack
AT_ONCE = 100  # snapshots that one restic forgets
LONGEST_MANIFEST = 256 * 1024 * 1024  # bytes
TOO_MANY = "so much at once may not be removed; it waits for staff"

Phase = Callable[[str, dict[str, Any]], None]


class Trouble(Exception):
    """It cannot be done; the text says why, in words for people."""


@dataclass(frozen=True)
class Host:
    """This machine to its backups."""

    places: Places
    server: str
    control: str
    bearer: str = field(repr=False)
    private: X25519PrivateKey = field(repr=False)


@dataclass
class Repository:
    """One repository while its door is open."""

    host: Host
    wanted: Wanted
    state: State
    gate: Gate
    rest: Rest
    restic: Restic
    phase: Phase

    def ensure(self) -> None:
        """There is a repository that this host can open, and its password is in escrow. Raises Trouble, Later, Closed."""
        own = self.host.places.own
        self.phase("open", {})
        exists = self.gate.read(CONFIG).get("gone") is not True
        known = password.kept(own) or self._handed()
        if exists and not known:
            raise Trouble("the repository's password is not known on this host")
        if not exists:
            known = self._before_the_first(known)
        self.restic.password = known
        self._escrow(known)
        if not exists:
            self._init()

    def _handed(self) -> str:
        if not self.wanted.password:
            return ""
        try:
            text = password.handed(self.host.private, self.host.server, self.wanted.password)
        except CannotOpen:
            raise Trouble("the repository's password was sealed to another key") from None
        self.state.set(escrowed=sha256(text.encode()).hexdigest())
        return password.keep(self.host.places.own, text)

    def _before_the_first(self, known: str) -> str:
        """A password of which no key was made: where a first run was cut off, its key must open nothing."""
        if any(True for kind in ("snapshots", "index", "data") for _one in self.gate.listed(kind)):
            raise Trouble("the repository has lost its config")
        used = any(True for _one in self.gate.listed("keys"))
        return password.make(self.host.places.own) if used or not known else known

    def _escrow(self, known: str) -> None:
        digest = sha256(known.encode()).hexdigest()
        if self.state.escrowed == digest:
            return
        refused = self.gate.escrow(password.sealed(known, self.wanted.escrow), self.wanted.escrow.key)
        if refused:
            raise Trouble(f"the password was not taken into escrow: {refused}")
        self.state.set(escrowed=digest)

    def _init(self) -> None:
        self.rest.passing.hidden.add("keys")  # those of a run that was cut off, which restic would stop at
        try:
            self.restic.run("init")
        finally:
            self.rest.passing.hidden.discard("keys")

    def unlock(self) -> None:
        """Locks of runs that were killed go; those of runs that may still be under way stay until their time."""
        self.restic.run("unlock")

    def backup(self) -> dict[str, Any]:
        """Add a restore point; what it took."""
        begun, places = time.time(), self.host.places
        self.phase("collect", {})
        restless = staging.stage(places)
        digest = manifest.write(places.tree, places.cache, self.host.server, begun)
        boxes, messages, _size = manifest.counted(json.loads((places.tree / manifest.FILE).read_bytes()))
        said = self._add(points.tags(boxes, messages, digest))
        self.state.set(points=[*self.state.points, points.made(said, boxes, messages, digest).kept()])
        return {
            "at": begun,
            "seconds": round(time.time() - begun, 1),
            "added": said.get("data_added_packed", said.get("data_added", 0)),
            "files": said.get("files_new", 0) + said.get("files_changed", 0),
            "why": f"{len(restless)} mailboxes never rested" if restless else "",
        }

    def _add(self, tags: str) -> dict[str, Any]:
        said: dict[str, Any] = {}

        def seen(message: dict[str, Any]) -> None:
            if message["message_type"] == "status":
                self.phase("copy", message)
            if message["message_type"] == "summary":
                said.update(message)

        arguments = ("backup", ".", "--host", HOST, "--tag", tags, "--ignore-ctime")
        self._restic(*arguments, seen=seen, cwd=self.host.places.tree)
        return said

    def points(self) -> list[Point]:
        """All restore points, the oldest first. A snapshot's name is the hash of it: restic is asked for none that is known."""
        names = [name for name, _size in self.gate.listed("snapshots")]
        found = points.remembered(self.state.points, names)
        if found is None:
            said = self._restic("snapshots")
            found = points.read(said[0] if said else [])
        return found

    def ordered(self, name: str) -> Point | None:
        """A point that the order tells of, if the storage has it: new hardware need not ask restic, which takes a second."""
        told = [point for point in self.wanted.known if point.id == name]
        is_there = bool(told) and any(name == one for one, _size in self.gate.listed("snapshots"))
        return told[0] if is_there else None

    def tidy(self, now: float) -> list[Point]:
        """Forget what was kept for its time, and remove what no point needs any more; the points that stay."""
        found = self.points()
        going = points.leaving(found, self.wanted.keep, now)
        if going:
            self.state.set(untidy=True)
            self.phase("forget", {})
            self._forget([point.id for point in going])
            found = self.points()
        if self.state.untidy:
            self.prune()
        return found

    def _forget(self, ids: Sequence[str]) -> None:
        for first in range(0, len(ids), AT_ONCE):
            before = self.rest.refused.get("kept", 0)
            try:
                self._restic("forget", *ids[first : first + AT_ONCE])
            except Failed:
                if self.rest.refused.get("kept", 0) == before:
                    raise  # else our clock is ahead of the control plane's: they go the next time

    def prune(self) -> None:
        """Remove what no point needs. What may not go yet is found again the next time."""
        self.phase("prune", {})
        try:
            most = max(REPACKED_ANYWAY, int(REPACKED * sum(size for _name, size in self.gate.listed("data"))))
            self._restic("prune", f"--max-unused={UNUSED}", f"--max-repack-size={most}")
        finally:
            if self.rest.refused.get("too_many"):
                raise Trouble(TOO_MANY)
        self.state.set(untidy=False)

    def manifest(self, point: Point) -> manifest.Said:
        """What a point says that it has; raises Trouble where that is not what was said when it was made."""
        text = self.restic.read("dump", point.id, f"/{manifest.FILE}", most=LONGEST_MANIFEST)
        return checked(text, point)

    def _restic(self, *arguments: str, seen: Seen = lambda said: None, cwd: Path | None = None) -> list[Any]:
        try:
            return self.restic.run(*arguments, seen=seen, cwd=cwd)
        except Failed as failure:
            raise self._explained(failure) from None

    def _explained(self, failure: Failed) -> Exception:
        """In the door's words, where it was the door that said no."""
        if self.rest.closed:
            return Trouble(f"the storage is closed to this host: {self.rest.closed}")
        if self.rest.refused.get("full"):
            return Trouble("the storage takes no more: the backups are larger than the plan has room for")
        return failure


def checked(text: bytes, point: Point) -> manifest.Said:
    """A point's manifest in its words; raises Trouble where they are not those that were made."""
    if point.manifest and sha256(text).hexdigest() != point.manifest:
        raise Trouble("the list of what this restore point has is not the one that was made")
    return dict(json.loads(text))


@contextmanager
def opened(
    host: Host, wanted: Wanted, state: State, lock: IO[bytes], phase: Phase, *, cached: bool = True
) -> Iterator[Repository]:
    """The repository's door, open for the block."""
    host.places.ready()
    gate = Gate(host.control, host.bearer)
    rest = Rest(gate, Passing(gate))
    rest.start()
    restic = Restic(rest.url, "", host.places.cache, wanted.kib_s, cached=cached, passed=(lock.fileno(),))
    try:
        yield Repository(host, wanted, state, gate, rest, restic, phase)
    finally:
        rest.stop()


@contextmanager
def alone(places: Places) -> Iterator[IO[bytes] | None]:
    """The lock of whoever uses the repository from this host, held by its restic too; None while another has it."""
    places.ready()
    with open(os.open(places.own / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file
