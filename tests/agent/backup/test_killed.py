"""restic, the agent or the way to the storage killed at any moment: the next run ends right, and nothing is lost."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.backup.restic import Failed
from tests.agent.backup.drive import VAULT
from tests.agent.backup.mailbox import seen
from tests.agent.backup.small_host import PEOPLE, SmallHost, owner
from tests.agent.backup.storage import BEARER, Storage

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("restic")]

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
SEEDS = (1, 2, 3)
OPEN = ("01", "03", "08")  # established, about to be, and closed by the other side alone


class Outside:
    """The storage and its door as a process that may be killed; its files are all that it knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = socket.socket()  # keeps the port for it, also while it is away
        self.place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.place.bind(("127.0.0.1", 0))
        self.port = self.place.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.agent.backup.storage",
            str(self.folder),
            str(self.port),
            BEARER,
        ]
        self.process = subprocess.Popen(command, cwd=ROOT)
        while True:
            assert self.process.poll() is None, "the storage ended"
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rest(self) -> None:
        """Until all that was sent to it was seen to: of who was killed, something may still be on its way."""
        until = time.monotonic() + PATIENCE
        while self._lines():
            assert time.monotonic() < until
            time.sleep(0.01)

    def _lines(self) -> list[str]:
        """Connections to it that are not closed on its side, proc_net_tcp(5); those that nobody took yet are among them."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [row[1] for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] in OPEN]

    def close(self) -> None:
        self.kill()
        self.place.close()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    outside = Outside(tmp_path / "storage")
    yield outside
    outside.close()


@pytest.fixture
def small(tmp_path: Path, outside: Outside) -> SmallHost:
    looked_at: Any = outside
    small = SmallHost(tmp_path / "host", looked_at, VAULT)
    small.fill(300, size=20_000)
    return small


def begin(small: SmallHost, do: str = "turn") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.agent.backup.drive", str(small.root), small.storage.url, do]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def end(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said, _ = process.communicate(timeout=PATIENCE)
    return dict(json.loads(said))


def restics(process: "subprocess.Popen[str]") -> list[int]:
    """The children of an agent that are restic by now."""
    children = [
        pid for task in Path(f"/proc/{process.pid}/task").glob("*/children") for pid in read(task).split()
    ]
    return [int(pid) for pid in children if read(Path(f"/proc/{pid}/comm")).strip() == "restic"]


def read(told: Path) -> str:
    """What the kernel tells of a process or a thread; nothing of one that has ended."""
    try:
        return told.read_text()
    except OSError:
        return ""


def assert_the_next_run_ends_right(small: SmallHost, outside: Outside, tmp_path: Path) -> None:
    outside.rest()  # else a lock of the dead may come after it was looked for: it holds nobody up, but it lies there
    said = end(begin(small))
    assert said["error"] == ""
    storage = Storage(outside.folder)
    assert storage.names("locks") == []
    newest = said["points"][-1]
    assert (newest["mailboxes"], newest["messages"]) == (3, small.count)
    with small.repository() as repository:
        repository.restic.run("restore", f"{newest['id']}:/mail/firm.test", "--target", str(tmp_path / "out"))
        repository.restic.run("check", "--read-data")
    for address in PEOPLE:
        restored = tmp_path / "out" / address.partition("@")[0] / owner(address)
        assert seen(restored) == seen(small.home(address))
    storage.door.server_close()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_agent_is_killed_in_its_first_backup(
    small: SmallHost, outside: Outside, tmp_path: Path, seed: int
) -> None:
    process = begin(small)
    time.sleep(random.Random(seed).uniform(0.3, 5.0))  # noqa: S311
    process.kill()
    process.wait()

    assert_the_next_run_ends_right(small, outside, tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_restic_is_killed_wherever_it_is(
    small: SmallHost, outside: Outside, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    end(begin(small)) if seed % 2 else None
    small.fill(30, size=20_000)
    process = begin(small)
    for _ in range(seed % 3 + 1):
        while process.poll() is None and not restics(process):
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.8))
        for pid in restics(process):
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)
    end(process)

    assert_the_next_run_ends_right(small, outside, tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_to_the_storage_is_cut_and_comes_back_in_the_same_run(
    small: SmallHost, outside: Outside, tmp_path: Path, seed: int
) -> None:
    process = begin(small)
    while not restics(process) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(random.Random(seed).uniform(0.0, 3.0))  # noqa: S311
    outside.kill()
    time.sleep(0.3)
    outside.start()
    end(process)

    assert_the_next_run_ends_right(small, outside, tmp_path)


def test_a_lock_that_the_dead_left_holds_nobody_up(small: SmallHost, outside: Outside) -> None:
    """It may reach the storage after its run was killed, and after somebody looked for it."""
    end(begin(small))
    small.fill(300, size=20_000)
    storage = Storage(outside.folder)
    # At a pace at which it is still at work when it is killed.
    with small.repository(kib_s=1000) as repository, ThreadPoolExecutor() as pool:
        killed = pool.submit(repository.backup)
        while not storage.names("locks") and not killed.done():
            time.sleep(0.002)
        repository.restic.process.kill()  # type: ignore[union-attr]
        assert isinstance(killed.exception(), Failed)
        assert storage.names("locks")
        repository.prune()
    assert storage.names("locks") == []
    storage.door.server_close()


def test_with_the_agent_its_restic_is_gone_too(small: SmallHost, outside: Outside) -> None:
    process = begin(small)
    while not (found := restics(process)):
        time.sleep(0.005)
    process.kill()
    process.wait()

    for pid in found:
        until = time.monotonic() + PATIENCE
        while read(Path(f"/proc/{pid}/cmdline")):
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.mark.parametrize("place", ["keys", "config"])
def test_cut_off_while_the_repository_is_made_the_next_run_makes_it(
    small: SmallHost, outside: Outside, tmp_path: Path, place: str
) -> None:
    """Between the first key and the config, restic by itself would never come on."""
    end(begin(small))
    home = outside.folder / BEARER.partition(".")[0]
    for kind in ("data", "index", "snapshots", "locks"):
        for path in (home / kind).glob("*"):
            path.unlink()
    if place == "keys":
        (home / "config").unlink()
    before = (small.places.own / "password").read_text()

    assert_the_next_run_ends_right(small, outside, tmp_path)

    assert ((small.places.own / "password").read_text() == before) is (place == "config")


def test_a_repository_that_lost_its_config_is_not_made_anew(small: SmallHost, outside: Outside) -> None:
    end(begin(small))
    (outside.folder / BEARER.partition(".")[0] / "config").unlink()

    assert end(begin(small))["error"] == "the repository has lost its config"
