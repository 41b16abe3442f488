"""Ports of bin/dev: two runs that start at the same moment never meet."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devtools import services
from devtools.paths import ROOT
from devtools.services import own_port

OWN = "import sys; from devtools.services import own_port; print(own_port(int(sys.argv[1])), flush=True); sys.stdin.read()"


@contextmanager
def another_run(wanted: int) -> Iterator[int]:
    """The port that another process got, for as long as that lives."""
    command = [sys.executable, "-c", OWN, str(wanted)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture(autouse=True)
def _no_claims(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    claims: list[socket.socket] = []
    monkeypatch.setattr(services, "CLAIMS", claims)
    yield
    for claim in claims:
        claim.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that end with their process")
def test_a_port_that_another_run_chose_is_not_ours_before_anything_listens_there() -> None:
    with socket.socket() as kept:  # bound, and silent: meanwhile nobody else is given that port by chance
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        with another_run(kept.getsockname()[1]) as theirs:
            assert own_port(theirs) > theirs
        assert own_port(theirs) == theirs


def test_a_port_where_something_listens_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert own_port(taken.getsockname()[1]) > taken.getsockname()[1]
