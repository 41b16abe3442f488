"""Mail that is deleted for good: what an order names by its id, all that belongs to it, and nothing else.

A home is a directory that has its mailbox's id for a name, so an order can name no other place, and a mailbox that is made
anew under an old address begins with an empty one. Deleting may be cut off at any line: what is left is found at the next
turn, and only what is no longer there is reported.
"""

import contextlib
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files import read_object, write_whole
from ..log import say
from . import addresses, traces
from .change import TRIAL
from .chore import Chore, Situation
from .dovecot import COMPILED
from .generations import Store
from .owners import Owners, homes, served
from .part import STORE
from .patterns import ID

ERASED = "erased.json"  # in Host.home: when each was found to be gone, for as long as orders name it
MOST = 200  # of a report
SOON, LATER = 20.0, 600.0  # seconds

Place = tuple[str, str]  # domain and local part, as their directories are called


@dataclass(frozen=True)
class Eraser:
    """Deletes homes below `root`, and what belongs to them elsewhere on the host.

    `busy` is held by whoever changes generations, or owners.
    """

    generations: Store
    root: Path = Path(STORE)
    busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def home(self) -> Path:
        return self.generations.home

    @property
    def owners(self) -> Owners:
        return Owners(self.home, self.generations.current)

    def turn(self, wanted: Sequence[str]) -> dict[str, float]:
        """See that nothing of these is there; returns when each was found to be gone, in Unix time."""
        before, lying = read_object(self.home / ERASED), self._places()
        done = {one: before[one] for one in wanted if one in before and one not in lying}
        for one in wanted:
            if one not in done and self._erase(one, lying.get(one, [])):
                done[one] = round(time.time())
                self._keep(done)
                say(f"mailbox {one} is erased")
        if before != done:
            self._keep(done)
        return done

    def _keep(self, done: dict[str, float]) -> None:
        write_whole(self.home / ERASED, json.dumps(done, sort_keys=True) + "\n")

    def _erase(self, owner: str, places: list[Place]) -> bool:
        """Whether nothing is left; False while the mailbox is served still, or a change is not proven."""
        if not ID.fullmatch(owner) or self.owners.known(owner):
            return False
        with self.busy:
            if not self._drop_generations(owner):
                return False
        traces.forget(self.home, owner)
        for place in places:
            self._clear(place, owner)
        if self.root.is_dir():
            self._tidy()
        with self.busy:
            self.owners.forget(owner)
        return True

    def _drop_generations(self, owner: str) -> bool:
        """Those that still serve the mailbox have its scripts and its passwords' hashes, and nobody may go back to them."""
        if (self.home / TRIAL).exists() or self.owners.known(owner):
            return False
        for number in self.generations.numbers():
            if owner in served(self.generations.place(number)).values():
                self.generations.drop(number)
        self.generations.sweep()
        return not any(
            owner in served(self.generations.place(number)).values() for number in self.generations.numbers()
        )

    def _clear(self, place: Place, owner: str) -> None:
        """The home last: by it the rest is found again after a kill."""
        domain, local = place
        hidden = addresses.file_name(addresses.FORWARD + addresses.local_part(local))
        serving = homes(self.generations.current).values()
        for name in (local, hidden):
            (self.home / COMPILED / f"{name}@{domain}.svbin").unlink(missing_ok=True)
            if f"{STORE}/{domain}/{name}/{addresses.NOBODY}" not in serving:
                self._delete((domain, name), addresses.NOBODY)
        self._delete(place, owner)

    def _delete(self, place: Place, name: str) -> None:
        domain, local = place
        with (
            contextlib.suppress(FileNotFoundError),
            _opened(self.root) as root,
            _opened(domain, root) as names,
            _opened(local, names) as lying,
        ):
            _remove(name, lying)
            os.fsync(lying)

    def _tidy(self) -> None:
        """No empty directory tells of an address that was."""
        serving = {str(Path(home).parent) for home in homes(self.generations.current).values()}
        with _opened(self.root) as root:
            for domain in _folders(root):
                with _opened(domain, root) as names:
                    for local in _folders(names):
                        if f"{STORE}/{domain}/{local}" not in serving:
                            _remove_empty(local, names)
                _remove_empty(domain, root)

    def _places(self) -> dict[str, list[Place]]:
        """Where homes of each owner are, by what they are called."""
        found: dict[str, list[Place]] = {}
        if not self.root.is_dir():
            return found
        with _opened(self.root) as root:
            for domain in _folders(root):
                with _opened(domain, root) as names:
                    for local in _folders(names):
                        with _opened(local, names) as lying:
                            for owner in os.listdir(lying):
                                found.setdefault(owner, []).append((domain, local))
        return found


@contextmanager
def _opened(name: str | Path, within: int | None = None) -> Iterator[int]:
    """A directory and never what a link leads to: what lies in the store was written by other users than root."""
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _folders(place: int) -> list[str]:
    with os.scandir(place) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _remove(name: str, within: int) -> None:
    if stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=within)  # which follows no link either
    else:
        os.unlink(name, dir_fd=within)


def _remove_empty(name: str, within: int) -> None:
    with contextlib.suppress(OSError):  # something lives there
        os.rmdir(name, dir_fd=within)


def run(situation: Situation) -> dict[str, Any]:
    """The report's `erased`: what the order in force wants to be gone, and is."""
    done = Eraser(Store(situation.host.home), busy=situation.busy).turn(situation.mail.erase)
    return {"erased": [{"id": one, "at": at} for one, at in list(done.items())[:MOST]]}


def every(situation: Situation) -> float:
    """Seconds: sooner while something is still there."""
    done = read_object(situation.host.home / ERASED)
    return LATER if all(one in done for one in situation.mail.erase) else SOON


CHORE = Chore(name="erase", every=every, run=run)
