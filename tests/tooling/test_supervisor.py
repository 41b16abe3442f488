"""What bin/dev keeps running: restarted when it dies, given up when it keeps dying, ended whatever happens to us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devtools.paths import ROOT
from devtools.say import Failed
from devtools.supervisor import Process, Supervisor

pytestmark = pytest.mark.integration
PATIENCE = 60.0  # seconds; their end only ends a failing test
FOREVER = "import time; time.sleep(10**6)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(10**6)"
COUNTING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))
print('ready', flush=True)
while True:
    time.sleep(0.01)
"""
DYING = "print('no such table'); raise SystemExit(3)"
PARENT = """
import sys
from pathlib import Path
from devtools.supervisor import Process, Supervisor
one = Process("child", [sys.executable, "-c", "import time; time.sleep(10**6)"], {}, Path(sys.argv[1]), Path("/"))
Supervisor().keep(one)
print(one.child.pid, flush=True)
sys.stdin.read()
"""

PREPARING = """
import sys
from devtools.run import run
note = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(10**6)"
run([sys.executable, "-c", note, sys.argv[1]], what="preparing")
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Process]:
    def make(program: str, name: str = "child", **more: object) -> Process:
        command = [sys.executable, "-c", program]
        return Process(name, command, dict(os.environ), tmp_path / f"{name}.log", tmp_path, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    one = Supervisor()
    yield one
    one.end()


def eventually(true: Callable[[], bool]) -> None:
    """Waits for what must come; a test that waits in vain fails by its assertion."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes between opening and reading
        return True


def test_one_that_dies_is_started_again(supervisor: Supervisor, make: Callable[..., Process]) -> None:
    child = make(FOREVER)
    supervisor.keep(child)
    first = child.child.pid
    os.kill(first, signal.SIGKILL)
    supervisor.watch(lambda: child.child.pid != first)
    assert child.alive()


def test_one_that_keeps_dying_ends_the_watch_with_its_last_words(
    supervisor: Supervisor, make: Callable[..., Process]
) -> None:
    supervisor.keep(make(DYING))
    with pytest.raises(Failed, match="no such table"):
        supervisor.watch()


def test_one_that_is_deaf_to_asking_is_ended_by_force(
    supervisor: Supervisor, make: Callable[..., Process]
) -> None:
    child = make(STUBBORN, grace=0.2)
    supervisor.keep(child)
    eventually(lambda: "deaf" in child.log.read_text())
    supervisor.end()
    assert child.child.returncode == -signal.SIGKILL


def test_it_is_asked_to_end_but_once(supervisor: Supervisor, make: Callable[..., Process]) -> None:
    child = make(COUNTING, grace=0.5)
    supervisor.keep(child)
    eventually(lambda: "ready" in child.log.read_text())
    child.ask_to_end()
    eventually(lambda: "asked" in child.log.read_text())
    supervisor.end()
    assert child.log.read_text().count("asked") == 1


def test_what_others_use_ends_after_them() -> None:
    told: list[str] = []

    class Told:
        log = Path("x")

        def __init__(self, name: str, used_by_others: bool) -> None:
            self.name, self.used_by_others = name, used_by_others

        def start(self) -> None: ...

        def alive(self) -> bool:
            return True

        def ask_to_end(self) -> None: ...

        def end(self) -> None:
            told.append(self.name)

    supervisor = Supervisor()
    for name, used in (("postgres", True), ("sandbox", True), ("web", False), ("worker", False)):
        supervisor.keep(Told(name, used))
    supervisor.end()
    assert told == ["web", "worker", "sandbox", "postgres"]


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "log"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    eventually(lambda: gone(child))


def test_what_prepares_a_run_does_not_outlive_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PREPARING, note], cwd=ROOT)
    eventually(lambda: note.exists() and note.read_text() != "")
    parent.kill()
    parent.wait()
    eventually(lambda: gone(int(note.read_text())))
