"""A control plane and a host for each test; whatever the test does, no secret may be in the agent's log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import build
from tests.agent.control_plane import ControlPlane
from tests.agent.host import Host


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zipapp as it is served."""
    path, _ = build.write(tmp_path_factory.mktemp("built"))
    return path


@pytest.fixture
def control() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.close()


@pytest.fixture
def host(tmp_path: Path, agent: Path, control: ControlPlane) -> Iterator[Host]:
    host = Host(tmp_path, agent, control)
    yield host
    said = host.said()
    assert not [secret for secret in host.secrets() if secret in said], "a secret stands in the log"
    assert "Traceback" not in said, said
    assert "unexpected" not in said, said
