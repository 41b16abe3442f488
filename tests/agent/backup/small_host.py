"""A host with mailboxes, and the control plane's side of its backups; each run is a new process's view of the same disk."""

import base64
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent.backup import restic, run
from agent.mailat_agent.backup.chore import Backups
from agent.mailat_agent.backup.places import Places
from agent.mailat_agent.backup.run import Host, Repository
from agent.mailat_agent.backup.state import State
from agent.mailat_agent.backup.wanted import Wanted, read
from agent.mailat_agent.mail import state as mail_state
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.part import Host as MailHost
from tests.agent.backup.storage import BEARER, HOME, Storage
from tests.agent.orders import mail, mailbox

PEOPLE = ("alice@firm.test", "bob@firm.test", "charlie@firm.test")
INFO = b"secret\n1f2e"
# The restic that the tests were given: where this computer has an older one, or none, hosts have another place for theirs.
restic.PATH = os.environ.get("PATH", restic.PATH)


def owner(address: str) -> str:
    return str(uuid5(NAMESPACE_URL, address))


@dataclass
class SmallHost:
    """Its disk is below `root`."""

    root: Path
    storage: Storage
    vault: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    fresh: bool = True

    def __post_init__(self) -> None:
        self.random = random.Random(7)  # noqa: S311 - the same mail each time
        self.told: list[str] = []
        self.handed = ""
        self.count = 0
        if self.fresh:
            self._be_born()

    def _be_born(self) -> None:
        self.places.mail.mkdir(parents=True)
        (self.places.home / "dkim").mkdir(parents=True)
        (self.places.home / "dkim/firm.test.key").write_text("the key of firm.test")

    @property
    def places(self) -> Places:
        return Places(
            self.root / "srv/mail", self.root / "lib", self.root / "srv/.stage", self.root / "cache"
        )

    @property
    def host(self) -> Host:
        return Host(self.places, HOME, self.storage.url, BEARER, self.key)

    def public(self) -> str:
        """The key to which secrets for this host are sealed."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def home(self, address: str) -> Path:
        local, _, domain = address.partition("@")
        return self.places.mail / domain / local / owner(address)

    def deliver(self, address: str, folder: str = "", flags: str | None = "S", size: int = 2000) -> Path:
        """A message lies in a folder; without `flags` nobody has seen it yet."""
        place = self.home(address) / "Maildir" / folder
        for half in ("cur", "new", "tmp"):
            (place / half).mkdir(parents=True, exist_ok=True)
        self.count += 1
        name = f"{1700000000 + self.count}.M{self.count}P1.host"
        path = place / "new" / name if flags is None else place / "cur" / f"{name}:2,{flags}"
        path.write_bytes(f"Subject: {self.count}\n\n".encode() + self.random.randbytes(size))
        os.utime(path, (1.7e9, 1.7e9 + self.count))
        return path

    def fill(
        self, messages: int, people: tuple[str, ...] = ("alice", "bob", "charlie"), size: int = 2000
    ) -> None:
        """Mail of some people in some folders."""
        for number in range(messages):
            folder = ("", ".Sent", ".Archive.2025")[number // 3 % 3]
            flags = ("S", "RS", None, "FS", "")[number % 5]
            self.deliver(f"{people[number % len(people)]}@firm.test", folder, flags, size)

    def order(self, **changes: Any) -> dict[str, Any]:
        """The field of an order."""
        public = base64.b64encode(self.vault.public_key().public_bytes_raw()).decode()
        escrow = {"key": "k1", "public": public, "info": base64.b64encode(INFO).decode()}
        return {
            "keep": 86400,
            "every": 3600,
            "hours": None,
            "kib_s": None,
            "escrow": escrow,
            "jobs": [],
            "password": self.handed,
            **changes,
        }

    def wanted(self, **changes: Any) -> Wanted:
        return read(self.order(**changes))

    @contextmanager
    def repository(self, *, cached: bool = True, **changes: Any) -> Iterator[Repository]:
        """The repository, opened as a run does."""
        self.places.ready()
        state = State.read(self.places.own)
        with run.alone(self.places) as lock:
            assert lock
            with run.opened(
                self.host, self.wanted(**changes), state, lock, lambda *_: None, cached=cached
            ) as repository:
                repository.ensure()
                yield repository

    def backup(self, **changes: Any) -> dict[str, Any]:
        with self.repository(**changes) as repository:
            return repository.backup()

    def chore(self, *served: str, erase: tuple[str, ...] = (), **changes: Any) -> Backups:
        """The agent's backups, as after a start of it; `served` are the mailboxes of the order in force."""
        boxes = [mailbox(address) for address in served or PEOPLE]
        order = mail_state.read(mail(mailboxes=boxes, erase=list(erase)))
        situation = Situation(
            order, MailHost("alice.mailat.test", ()), changed=lambda: self.told.append("changed")
        )
        backups = Backups(self.host, lambda: situation)
        backups.want(self.wanted(**changes))
        return backups

    def do(
        self, what: str, *served: str, known: Sequence[dict[str, Any]] = (), **args: Any
    ) -> dict[str, Any]:
        """One job, from its order to its answer."""
        job = {"id": str(uuid4()), "do": what, **args}
        chore = self.chore(*served, jobs=[job], known=list(known))
        chore.turn()
        report: Any = chore.report()
        assert [one["id"] for one in report["jobs"]] == [job["id"]]
        return {**report["jobs"][0], "job": job["id"]}


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Over and over, as fast as it can, as long as the block lasts."""
    stop = threading.Event()

    def on() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
