"""Keeps a few processes running: restarts one that dies, gives up when one keeps dying, ends all in order."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from devtools.leash import leash
from devtools.run import last_lines
from devtools.say import Failed, say

LOOK_SECONDS = 0.2
TOO_OFTEN, WITHIN_SECONDS = 3, 30.0


class Kept(Protocol):
    """Something that runs and can be started and ended."""

    name: str
    used_by_others: bool

    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def alive(self) -> bool: ...
    def ask_to_end(self) -> None: ...
    def end(self) -> None: ...


@dataclass
class Process:
    """A command in a session of its own, so that a Ctrl-C at the terminal reaches us first and alone."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    cwd: Path
    grace: float = 8.0
    used_by_others: bool = False
    out: Path | None = None
    child: subprocess.Popen[bytes] | None = None
    asked: bool = False

    def start(self) -> None:
        self.asked = False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log, self.out.open("wb") if self.out else nullcontext(log) as out:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=leash(),
            )

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def ask_to_end(self) -> None:
        """Once: many programs take a second signal for impatience, and leave without tidying up."""
        if self.child and self.child.poll() is None and not self.asked:
            self.asked = True
            self.child.terminate()

    def end(self) -> None:
        """Waits for its own end, then makes sure that nothing of its session is left."""
        if not self.child:
            return
        self.ask_to_end()
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(self.grace)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


@dataclass
class Supervisor:
    """Ends what it keeps in the reverse order of the start; the first signal to end is the last that counts."""

    kept: list[Kept] = field(default_factory=list)
    ending: bool = False
    deaths: dict[str, deque[float]] = field(default_factory=dict)

    def listen(self) -> None:
        """From here on Ctrl-C, TERM and a closed terminal mean: end everything in order."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told_to_end)

    def keep(self, one: Kept) -> None:
        self.kept.append(one)
        one.start()

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Returns when `until` is true, raises KeyboardInterrupt when told to end, Failed if a process cannot be kept running."""
        while not until():
            for one in self.kept:
                if not one.alive():
                    self._again(one)
            time.sleep(LOOK_SECONDS)

    def end(self) -> None:
        """Those that only use others go first, all at once; then the others, last started first."""
        self.ending = True
        for group in _last_first(self.kept):
            for one in group:
                one.ask_to_end()
            for one in group:
                one.end()
        self.kept.clear()

    def _told_to_end(self, number: int, _frame: object) -> None:
        """Raised where we are, be it in the middle of setting up; later signals do not disturb the ending."""
        if not self.ending:
            self.ending = True
            raise KeyboardInterrupt

    def _again(self, one: Kept) -> None:
        now = time.monotonic()
        times = self.deaths.setdefault(one.name, deque(maxlen=TOO_OFTEN))
        times.append(now)
        if len(times) == TOO_OFTEN and now - times[0] < WITHIN_SECONDS:
            raise Failed(
                f"{one.name} ended {TOO_OFTEN} times in a row. The end of {one.log}:\n{last_lines(one.log)}"
            )
        say(f"  {one.name} ended by itself and is started again; see {one.log}")
        one.start()


def _last_first(kept: Iterable[Kept]) -> list[list[Kept]]:
    """Postgres and the stand-ins each alone and last, since the others talk to them while they end."""
    groups: list[list[Kept]] = []
    users: list[Kept] = []
    for one in kept:
        (groups.append([one]) if one.used_by_others else users.append(one))
    return [users, *reversed(groups)]
