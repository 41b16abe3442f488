"""Alice's world, with an address for every door of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.admin.conftest import make_world, world
from tests.dashboard.test_access import Addresses, address, its_domain, its_receipt, its_restore, its_server
from tests.doors.everything import Door

__all__ = ["address", "its_domain", "its_receipt", "its_restore", "its_server", "make_world", "world"]
Places = Callable[[Door], str]


@pytest.fixture
def place(address: Addresses) -> Places:
    """Where a door is in Alice's world; of what is not the dashboard's, with words that nobody has."""

    def of(door: Door) -> str:
        return address(door.pattern) if door.is_the_dashboards else door.path()

    return of


@pytest.fixture(autouse=True)
def _agents_program(settings: Any, tmp_path: Path) -> None:
    """As bin/dev and the image build it."""
    settings.AGENT_BUILD_DIR = tmp_path
    (tmp_path / "agent.pyz").write_bytes(b"PK")
