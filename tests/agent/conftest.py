"""A control plane and a host for each test; whatever the test does, no secret may be in the agent's log."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import build
from devtools.leash import leash
from devtools.paths import ROOT
from tests.agent.control_plane import ControlPlane
from tests.agent.host import Host

ALONE = "MAILAT_TEST_ALONE"
NOT_ITS = (
    "PYTEST_XDIST_WORKER",
    "PYTEST_XDIST_WORKER_COUNT",
    "PYTEST_XDIST_TESTRUNUID",
    "PYTEST_CURRENT_TEST",
)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that forks runs in a process of its own.

    A fork gets the locks of all threads and none of the threads, so that it waits for ever where another test's held one.
    """
    if not pyfuncitem.get_closest_marker("forks") or ALONE in os.environ:
        return None
    env = {name: value for name, value in os.environ.items() if name not in NOT_ITS} | {ALONE: "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", pyfuncitem.nodeid]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, preexec_fn=leash()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return True


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
