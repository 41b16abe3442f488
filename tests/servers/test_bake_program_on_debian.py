"""The program makes a real image of a real host, and a server is made of it."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.serving import make_server

from engine import actions as engine
from engine.program import Done, Hop, Nap
from sandbox.hetzner import blueprint
from sandbox.hosts import Hosts, HostsUnavailable, choose
from sandbox.hosts.debian import possible
from servers import hetzner, images
from servers.models import Server
from servers.programs.bake_image import STARTED, BakeImage
from tests.servers import test_bake_image, test_provision
from tests.servers.conftest import Vendor

ROOT = Path(__file__).parents[2]
LOOKS, PAUSE = 6000, 0.2  # a whole mail system is installed, on a busy machine

pytestmark = [pytest.mark.root, pytest.mark.django_db]


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    os.environ.setdefault("MAILAT_CACHE", str(ROOT / "var/cache"))
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    opened = choose("debian", tmp_path, 8000, on_log=lambda _line: None)
    try:
        opened.prepare()
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    yield opened
    opened.close()


@pytest.fixture
def vendor(tmp_path: Path, settings: Any, hosts: Hosts) -> Iterator[Vendor]:
    app = flask.Flask("vendor")
    app.register_blueprint(blueprint(tmp_path, settings.HETZNER_TOKEN, hosts), url_prefix="/hetzner")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    settings.HETZNER_API_URL = f"http://127.0.0.1:{server.port}/hetzner/v1"
    yield Vendor(f"http://127.0.0.1:{server.port}")
    server.shutdown()


def step(name: str) -> Any:
    """The step until it does not only wait."""
    for _ in range(LOOKS):
        outcome = test_bake_image.step(name, waited=STARTED)
        if not isinstance(outcome, Nap):
            return outcome
        time.sleep(PAUSE)
    raise AssertionError(f"{name} never came to an end")


def test_a_host_becomes_an_image_and_a_server_begins_with_it(vendor: Vendor, hosts: Hosts, server: Server):
    engine.start(BakeImage, subject=images.subject())
    outcome: Any = Hop(BakeImage.first)
    while isinstance(outcome, Hop):
        assert outcome.step != "drop_machine", hosts.console(hetzner.cloud().machines()[0].id)
        outcome = step(outcome.step)
    assert outcome == Done("made")
    assert hetzner.cloud().machines() == []

    newest = images.newest()
    assert newest is not None
    made = hetzner.cloud().image(newest.image_id)
    assert made.description in {about["description"] for about in hosts.remembered().values()}
    test_provision.order(server)
    machine = server.machine_id or 0
    assert hetzner.cloud().get(machine).image == str(newest.image_id)
    for _ in range(LOOKS):
        if hosts.alive(machine):
            break
        time.sleep(PAUSE)
    assert hosts.alive(machine)
    hosts.stop(machine)
