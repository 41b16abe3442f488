"""The last backup of a machine that is left: mail is closed first, so that nothing arrives after it."""

import os
import time
from pathlib import Path
from typing import Any

from .. import services
from ..log import say
from ..mail.commands import Failed, run
from .run import Repository

INTAKE, STORE = ("postfix.service",), ("dovecot.service",)
SPOOL = Path("/var/spool/postfix")
WAITING = ("incoming", "active", "deferred", "hold", "maildrop")
LEAVE = 20.0  # seconds for what is in the queue and has a way
STOP = 120.0  # seconds


def last(repository: Repository) -> dict[str, Any]:
    """Closes mail until the next start of the machine, and backs up; `queued` are mails that could not leave before.

    Nothing is forgotten or pruned, which would only keep the new machine waiting.
    """
    queued = close()
    return {**repository.backup(), "queued": queued}


def close() -> int:
    """Senders keep what comes from now on and try again; how many mails wait in the queue, which no backup has."""
    if not os.path.isdir(services.SYSTEMD):
        return 0
    _let_leave()
    for units in (INTAKE, STORE):
        # Masked until the next start only: whatever finds them down meanwhile cannot start them.
        run(["systemctl", "mask", "--runtime", "--now", "--", *units], STOP)
    return waiting()


def _let_leave() -> None:
    """What waits is tried once more, at once."""
    try:
        run(["postqueue", "-f"])
    except Failed as failure:
        say(f"the queue was not tried once more: {failure}")
        return
    end = time.monotonic() + LEAVE
    while waiting() and time.monotonic() < end:
        time.sleep(1)


def waiting(spool: Path = SPOOL) -> int:
    """Mails in Postfix' queues, by its own directories: with Postfix stopped there is nobody to ask."""
    return sum(len(names) for queue in WAITING for _place, _below, names in os.walk(spool / queue))
