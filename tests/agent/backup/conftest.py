"""A storage with its door, and restic's way to it, for each test."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.mailat_agent.backup.gate import Gate
from agent.mailat_agent.backup.passing import Passing
from agent.mailat_agent.backup.rest import Rest
from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.small_host import SmallHost
from tests.agent.backup.storage import BEARER, Storage

OLDEST = (0, 17)  # of restic: earlier ones try again what was refused; Debian 13 has 0.18


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path / "storage").start()
    yield storage
    storage.close()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[ExportStorage]:
    """A storage that takes exports as well."""
    storage = ExportStorage(tmp_path / "storage")
    storage.start()
    yield storage
    storage.close()


@pytest.fixture
def small(tmp_path: Path, outside: ExportStorage) -> SmallHost:
    return SmallHost(tmp_path / "host", outside)


@pytest.fixture
def rest(storage: Storage) -> Iterator[Rest]:
    """The host's door on loopback, as restic meets it."""
    gate = Gate(storage.url, BEARER)
    rest = Rest(gate, Passing(gate))
    rest.start()
    yield rest
    rest.stop()


@pytest.fixture(scope="session")
def restic() -> str:
    """The program as hosts have it."""
    found = shutil.which("restic")
    said = subprocess.run([found, "version"], capture_output=True, text=True).stdout if found else ""
    numbers = re.match(r"restic (\d+)\.(\d+)", said)
    if not found or not numbers or (int(numbers[1]), int(numbers[2])) < OLDEST:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("restic 0.17 or later is not installed")
    return found
