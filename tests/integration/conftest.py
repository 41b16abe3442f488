"""The world of the integration tests, started once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing.policy import EVENTS
from clients.gumroad import Gumroad
from servers import userdata
from tests.integration.world import ROOT, Sandbox, Workers, database_url


@pytest.fixture(scope="session")
def built_agent() -> Path:
    folder = Path(os.environ["AGENT_BUILD_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "agent.build", str(folder)], check=True, cwd=ROOT)
    userdata.agent_sha256.cache_clear()
    return folder


@pytest.fixture(scope="session")
def sandbox(
    live_server: Any, built_agent: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    hook = f"{live_server.url}/hooks/gumroad/{os.environ['GUMROAD_WEBHOOK_SECRET']}"
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), "", control=live_server.url)
    with Gumroad(os.environ["GUMROAD_TOKEN"], sandbox.where["gumroad_api"]) as gumroad:
        for kind in EVENTS:  # which a worker of ours would ask for, if the clock ran here
            gumroad.listen(kind, hook)
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def workers(sandbox: Sandbox, django_db_setup: None) -> Iterator[Workers]:
    workers = Workers(sandbox, database_url())
    yield workers
    workers.stop()


@pytest.fixture(autouse=True)
def _calm(request: pytest.FixtureRequest) -> None:
    """No fault, no call and no letter is left over from another test."""
    if "sandbox" in request.fixturenames:
        sandbox = request.getfixturevalue("sandbox")
        for path in (
            "/hetzner/sandbox/faults",
            "/hetzner/sandbox/calls",
            "/mail/api/messages",
            "/mail/api/faults",
        ):
            sandbox.delete(path)
