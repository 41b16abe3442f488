"""A network without hosts, which is quickly made, and programs that run as machines of it."""

from __future__ import annotations

import ipaddress
import pathlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from sandbox.app import Config, World
from sandbox.hosts.debian import possible
from sandbox.hosts.debian.lan import Lan

ROOT = pathlib.Path(__file__).parents[3]
NETWORK = ipaddress.IPv4Network("10.77.254.0/24")


class Net:
    """What a test has of the internet: its doors, and programs in it."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        (home / "debian").mkdir()
        self.lan = Lan(NETWORK, 1, home / "debian")
        self.world = World(Config(home, "http://127.0.0.1:8000", hosts="none"))
        self.world.internet.hosts.network = NETWORK
        self.browser: FlaskClient = self.world.app.test_client()

    def get(self, path: str, **query: str) -> dict:
        return self.browser.get(f"/internet/api/{path}", query_string=query).get_json()

    def post(self, path: str, **body: object) -> dict:
        answer = self.browser.post(f"/internet/api/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    def run(self, *command: str, at: str = ".6") -> subprocess.CompletedProcess[str]:
        """The command as a machine of the network."""
        outside = [
            sys.executable,
            "-m",
            "sandbox.internet.outside",
            "--home",
            str(self.home),
            "--address",
            at,
            "--",
        ]
        return subprocess.run([*outside, *command], capture_output=True, text=True, cwd=ROOT, timeout=120)

    def python(self, script: str, *arguments: str, at: str = ".6") -> str:
        """What the script prints; it must succeed."""
        run = self.run(sys.executable, "-c", script, *arguments, at=at)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def restart(self) -> None:
        """The network ends and comes back, as with the sandbox."""
        self.lan.close()
        self.lan = Lan(NETWORK, 1, self.home / "debian")

    def close(self) -> None:
        self.world.close()
        self.lan.close()


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    home = tmp_path_factory.mktemp("home")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    made = Net(home)
    yield made
    made.close()


@pytest.fixture
def browser(tmp_path: pathlib.Path) -> Iterator[FlaskClient]:
    """The doors where there are no hosts."""
    world = World(Config(tmp_path, "http://127.0.0.1:8000", hosts="none"))
    yield world.app.test_client()
    world.close()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], object]:
    """Waits for something to become true, and gives it; the end of patience is only there so that a failing test ends."""

    def wait(true: Callable[[], object]) -> object:
        pause = threading.Event()
        for _ in range(6000):
            if found := true():
                return found
            pause.wait(0.04)
        raise AssertionError("it never became true")

    return wait
