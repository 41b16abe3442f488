"""A server without a host is its agent, as a process that never outlives the sandbox."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from sandbox.hosts import Machine, choose
from sandbox.hosts import agent as agent_module
from tests.sandbox.hosts.conftest import gone

pytestmark = pytest.mark.integration

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def hosts(tmp_path):
    chosen = choose("process", tmp_path, 8000, on_log=lambda text: None)
    yield chosen
    chosen.close()


@pytest.fixture
def seen(tmp_path, until):
    """What the agent of a machine saw when it started."""

    def seen(machine_id: int = 1):
        file = tmp_path / f"processes/machine-{machine_id}/root/var/lib/mailat/seen.json"
        until(file.exists)
        return json.loads(file.read_text())

    return seen


def test_the_agent_runs_with_its_config_and_its_state(hosts, depot, seen):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data(server="alice's"))
    assert seen()["config"]["server"] == "alice's"
    assert hosts.alive(1)


def test_it_inherits_no_secret_of_the_sandbox(hosts, depot, seen, monkeypatch):
    monkeypatch.setenv("HETZNER_TOKEN", "secret-4711")
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    assert "secret-4711" not in json.dumps(seen()["environment"])


def test_what_it_says_stands_on_the_console(hosts, depot, seen, until):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    until(lambda: "the agent speaks" in hosts.console(1))
    assert "checksum is right" in hosts.console(1)


def test_it_is_fetched_when_the_control_plane_comes_up(hosts, depot, seen, until, monkeypatch):
    monkeypatch.setattr(agent_module, "RETRY_AFTER", 0.01)
    depot.open = False
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    until(lambda: "could not be fetched" in hosts.console(1))
    assert hosts.alive(1)
    depot.open = True
    assert seen()["pid"]


def test_an_agent_with_another_checksum_never_runs(hosts, depot, tmp_path, until):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data(sha256="0" * 64))
    until(lambda: "checksum is not the one" in hosts.console(1))
    assert not (tmp_path / "processes/machine-1/root/usr/local/lib/mailat/agent.pyz").exists()


def test_an_agent_that_fails_is_started_again(hosts, depot, tmp_path, until, monkeypatch):
    monkeypatch.setattr(agent_module, "RESTART_AFTER", 0.01)
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data(ends_with=1))
    starts = tmp_path / "processes/machine-1/root/var/lib/mailat/starts"
    until(lambda: starts.exists() and len(starts.read_text()) > 2)


def test_an_agent_that_is_done_stays_ended(hosts, depot, tmp_path, until):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data(ends_with=0))
    until(lambda: not hosts.alive(1))
    assert (tmp_path / "processes/machine-1/root/var/lib/mailat/starts").read_text() == "x"


def test_stopping_ends_it_and_removes_its_files(hosts, depot, tmp_path, seen):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    pid = seen()["pid"]
    hosts.stop(1)
    assert gone(pid)
    assert not hosts.alive(1)
    assert not (tmp_path / "processes/machine-1").exists()
    hosts.stop(1)


def test_booting_twice_starts_one_agent(hosts, depot, tmp_path, seen):
    for _ in range(2):
        hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    seen()
    assert (tmp_path / "processes/machine-1/root/var/lib/mailat/starts").read_text() == "x"


def test_it_is_restored_with_its_state_and_its_first_user_data(hosts, depot, tmp_path, seen, until):
    first = depot.user_data(server="first")
    hosts.boot(1, "alice", "198.18.0.10", first)
    pid = seen()["pid"]
    hosts.close()
    assert gone(pid)
    hosts.restore([Machine(1, "alice", "198.18.0.10", depot.user_data(server="second"))])
    until(lambda: seen()["pid"] != pid)
    assert seen()["config"]["server"] == "first"
    assert (tmp_path / "processes/machine-1/root/var/lib/mailat/starts").read_text() == "xx"


def test_machines_that_no_one_knows_are_removed(hosts, depot, tmp_path, seen):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    pid = seen()["pid"]
    hosts.forget_others({2})
    assert gone(pid)
    assert not (tmp_path / "processes/machine-1").exists()


@pytest.mark.parametrize("user_data", ["", "#!/bin/sh\n", "#cloud-config\n{"])
def test_user_data_without_an_agent_is_a_server_that_does_nothing(hosts, user_data, until):
    hosts.boot(1, "alice", "198.18.0.10", user_data)
    until(lambda: "runs nothing" in hosts.console(1))
    assert hosts.alive(1)


def test_no_agent_outlives_a_sandbox_that_was_killed(depot, tmp_path, seen, until):
    code = (
        "import pathlib, sys, threading\n"
        "from sandbox.hosts import choose\n"
        "hosts = choose('process', pathlib.Path(sys.argv[1]), 8000)\n"
        "boot = threading.Thread(target=hosts.boot, args=(1, 'alice', '198.18.0.10', sys.argv[2]))\n"
        "boot.start(); boot.join()\n"
        "threading.Event().wait()\n"
    )
    sandbox = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), depot.user_data()], cwd=ROOT)
    pid = seen()["pid"]
    assert not gone(pid)
    sandbox.send_signal(signal.SIGKILL)
    sandbox.wait()
    until(lambda: gone(pid))


def test_no_agent_outlives_its_leash(hosts, depot, seen, until):
    hosts.boot(1, "alice", "198.18.0.10", depot.user_data())
    pid = seen()["pid"]
    leash = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(leash, signal.SIGKILL)
    until(lambda: gone(pid))


def test_a_machine_that_is_to_become_an_image_turns_itself_off(tmp_path, until):
    hosts = choose("process", tmp_path, 8000, on_log=lambda text: None)
    entry = {"path": "/etc/mailat/bake", "permissions": "0600", "content": ""}
    hosts.boot(1, "bake", "198.18.0.9", "#cloud-config\n" + json.dumps({"write_files": [entry]}))
    until(lambda: not hosts.alive(1))
    assert "image" in hosts.console(1)
    hosts.close()
