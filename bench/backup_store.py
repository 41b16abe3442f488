"""A mail store for `bin/bench backup`, and a hundredth of it changed as people change mail in an hour or two."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from tests.integration.backup_mail import FILL, FOLDERS

LEAST, MOST = 2_000, 60_000  # bytes of a message
HALF = "cur"


class Store:
    """Mailboxes below `mail`, each with so many messages."""

    def __init__(self, mail: Path, messages: int) -> None:
        self.mail, self.messages, self.boxes = mail, messages, 0
        self.dice = random.Random(7)

    @property
    def places(self) -> list[str]:
        """Of all homes, below any store."""
        return [f"firm.test/box{n}/{uuid5(NAMESPACE_URL, f'box{n}')}" for n in range(self.boxes)]

    def grow(self) -> None:
        """One mailbox more."""
        self.boxes += 1
        home = self.mail / self.places[-1]
        home.mkdir(parents=True)
        self._fill(home, self.messages, self.boxes)

    def change(self) -> None:
        """Of a hundredth: half is new mail, a quarter other flags, an eighth moves, an eighth goes."""
        home = self.mail / self.places[0]
        some = self.messages // 800
        paths = sorted((home / "Maildir" / HALF).iterdir())
        touched = self.dice.sample(paths, 4 * some)
        for path in touched[: 2 * some]:
            path.rename(path.with_name(path.name.partition(":2,")[0] + ":2,FRS"))
        for path in touched[2 * some : 3 * some]:
            path.rename(home / "Maildir/.Archive" / HALF / path.name)
        for path in touched[3 * some :]:
            path.unlink()
        self._fill(home, 4 * some, self.dice.randrange(10**6, 10**9))

    def _fill(self, home: Path, messages: int, seed: int) -> None:
        shares = [f"{name}={share}" for name, share in FOLDERS.items()]
        words = [str(home), str(messages), str(LEAST), str(MOST), str(seed), *shares]
        subprocess.run([sys.executable, "-c", FILL, *words], check=True, stdout=subprocess.DEVNULL)

    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.mail.rglob("*") if path.is_file())

    def read(self) -> None:
        """All of it is in memory, for whoever comes first."""
        for path in self.mail.rglob("*"):
            if path.is_file():
                path.read_bytes()

    def empty_like(self, mail: Path) -> Path:
        """The homes without mail, as new hardware has them."""
        shutil.rmtree(mail, ignore_errors=True)
        for place in self.places:
            (mail / place).mkdir(parents=True)
        return mail


def sync() -> None:
    """What was written before costs nobody later."""
    os.sync()
