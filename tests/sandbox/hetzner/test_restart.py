"""The stand-in killed at any moment forgets nothing and finishes what it promised."""

import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

import pytest
import requests

from sandbox.hosts import choose
from tests.sandbox.hetzner.conftest import TOKEN, Standin, finish

pytestmark = pytest.mark.integration

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def start(tmp_path):
    """Starts the stand-in as a process of its own, on the same home each time."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], str]:
        command = [
            sys.executable,
            "-m",
            "sandbox.hetzner",
            "--home",
            str(tmp_path / "home"),
            "--token",
            TOKEN,
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, json.loads(process.stdout.readline())["url"]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def call(method: str, url: str, **more: Any) -> requests.Response:
    return requests.request(method, url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10, **more)


def test_servers_and_faults_survive_a_kill(start):
    process, url = start()
    wish = {"name": "alice", "server_type": "cx23", "image": "debian-13"}
    server = call("POST", f"{url}/servers", json=wish).json()["server"]
    call(
        "POST",
        url.replace("/v1", "/sandbox") + "/faults",
        json={"kind": "locked", "operation": "delete_server"},
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, url = start()
    assert call("GET", f"{url}/servers/{server['id']}").json()["server"]["name"] == "alice"
    assert call("POST", f"{url}/servers", json=wish).status_code == 409
    assert call("DELETE", f"{url}/servers/{server['id']}").status_code == 423


def test_it_ends_quietly_when_told(start):
    process, _ = start()
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


def test_a_creation_cut_off_by_a_restart_is_finished(tmp_path, standin, order):
    standin.fault("slow", operation="boot", seconds=600)
    created = order()
    standin.close()
    again_hosts = choose("none", tmp_path / "hosts", 8000)
    again = Standin(tmp_path / "home", again_hosts)
    action = again.client().actions.get_by_id(created.action.id)
    finish(action)
    assert again_hosts.alive(created.server.id)
    again.close()


def test_a_running_machine_is_started_again_after_a_restart(tmp_path, standin, ordered):
    standin.close()
    again_hosts = choose("none", tmp_path / "hosts", 8000)
    again = Standin(tmp_path / "home", again_hosts)
    while not again_hosts.alive(ordered.id):
        pass
    again.close()


def test_a_failure_that_was_promised_survives_a_restart(tmp_path, standin, order):
    standin.fault("fail_action")
    standin.fault("slow", operation="boot", seconds=600)
    created = order()
    standin.close()
    again = Standin(tmp_path / "home", choose("none", tmp_path / "hosts", 8000))
    client = again.client()
    while client.actions.get_by_id(created.action.id).status == "running":
        pass
    assert client.actions.get_by_id(created.action.id).status == "error"
    assert client.servers.get_all() == []
    again.close()


def test_its_memory_is_for_its_owner_only(tmp_path, standin):
    for file in (tmp_path / "home").iterdir():
        if file.name == "hetzner.sqlite":
            assert os.stat(file).st_mode & 0o077 == 0
    assert os.stat(tmp_path / "home").st_mode & 0o077 == 0
