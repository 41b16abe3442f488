"""A mailbox ten times as large is exported in the same memory: a part of it is held, and no list of its messages' names in the ZIP."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.small_host import SmallHost, owner

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]

RUN = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4
from agent.mailat_agent.backup import run
from agent.mailat_agent.backup.export import Export
from agent.mailat_agent.backup.state import State
from tests.agent.backup.drive import VAULT
from tests.agent.backup.small_host import SmallHost, owner
root, url, format = sys.argv[1:]
small = SmallHost(Path(root), SimpleNamespace(url=url), VAULT, fresh=False)
chore = small.chore(jobs=[{"id": str(uuid4()), "do": "export", "format": format, "mailbox": owner("alice@firm.test")}])
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
with run.alone(small.places) as lock:
    with run.opened(small.host, chore.wanted, State.read(small.places.own), lock, lambda *_: None) as repository:
        began = time.monotonic()
        said = Export(repository, chore.situation, chore.home_of, lambda: None).run(chore.wanted.jobs[0])
print("peak", peak(), "messages", said["messages"], "bytes", said["bytes"], "seconds", round(time.monotonic() - began, 2))
"""


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[ExportStorage]:
    storage = ExportStorage(tmp_path / "storage")
    storage.part = 16 * 2**20
    storage.start()
    yield storage
    storage.close()


def peak_kib(small: SmallHost, outside: ExportStorage, format: str, messages: int) -> int:
    """The most memory of a process that exported so many messages."""
    outside.ready.clear()
    command = [sys.executable, "-c", RUN, str(small.root), outside.url, format]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"peak (\d+) messages (\d+) .*", done.stdout)
    assert found, done.stderr
    print(format, found[0])
    assert int(found[2]) == messages
    assert outside.ready[owner("alice@firm.test")].stat().st_size > 0
    return int(found[1])


@pytest.mark.parametrize("format", ["mbox", "maildir", "eml"])
def test_ten_times_the_mail_takes_the_same_memory(
    tmp_path: Path, outside: ExportStorage, format: str
) -> None:
    """From 30 to 300 MB, from 600 to 6,000 messages."""
    small = SmallHost(tmp_path / "host", outside)
    small.fill(600, ("alice",), size=50_000)
    few = peak_kib(small, outside, format, 600)
    small.fill(5400, ("alice",), size=50_000)
    many = peak_kib(small, outside, format, 6000)
    assert many < few + 6 * 1024  # names of messages, while a folder is read
    assert many < 100 * 1024
