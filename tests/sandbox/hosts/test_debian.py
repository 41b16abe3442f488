"""A real Debian host is booted, follows its user data, and leaves nothing behind."""

import http.server
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from sandbox.hosts import HostsUnavailable, Machine, choose
from sandbox.hosts.debian import groups, possible
from tests.sandbox.hosts.conftest import gone

ROOT = pathlib.Path(__file__).parents[3]
ADDRESS_IN_LAN = 10

pytestmark = pytest.mark.root


class ControlPlane:
    """Stands on loopback, where hosts can only come through the way that is made for them."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        control = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                control.heard.append(f"{self.path} {body}")
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()


@pytest.fixture
def control():
    running = ControlPlane()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(autouse=True)
def _image_is_kept(monkeypatch):
    """One image for all runs; making it takes half a minute and the packages of Debian."""
    if "MAILAT_CACHE" not in os.environ:
        monkeypatch.setenv("MAILAT_CACHE", str(ROOT / "var/cache"))


@pytest.fixture
def hosts(tmp_path, control):
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"no Debian host can run here: {obstacle}")
    chosen = choose("debian", tmp_path, control.port, on_log=lambda text: None)
    try:
        chosen.prepare()
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    yield chosen
    chosen.close()


def user_data(hosts, control) -> str:
    url = f"http://{hosts.address_of_control}:{control.port}"
    return (
        "#cloud-config\n"
        "write_files:\n- {path: /etc/hello, content: 'from the user data', permissions: '0600'}\n"
        "runcmd:\n"
        f"- [sh, -c, 'curl -s -d \"$(cat /etc/hello), $(. /etc/os-release; echo $VERSION_CODENAME), $(hostname)\" {url}/first']\n"
        "- [touch, /var/lib/first-boot-was-once]\n"
        f"- [sh, -c, 'python3 -c \"import cryptography\" && curl -s -d yes {url}/cryptography']\n"
        f"bootcmd:\n- [sh, -c, 'ls /var/lib/first-boot-was-once && curl -s -d again {url}/second']\n"
    )


def traces(home: pathlib.Path) -> list[str]:
    """What of this computer still bears the name of the home: mounts, processes."""
    found = [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(home) in line]
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(home) in words and int(folder.name) != os.getpid() and not gone(int(folder.name)):
            found.append(words.replace("\0", " "))
    return found


def namespaces() -> set[str]:
    found = set()
    for folder in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(os.readlink(folder))
        except OSError:
            continue
    return found


def test_a_host_boots_follows_its_user_data_and_leaves_nothing(hosts, control, tmp_path, until):
    before, address = namespaces(), str(hosts.network[ADDRESS_IN_LAN])
    hosts.boot(7, "alice.example.test", address, user_data(hosts, control))
    until(lambda: len(control.heard) == 2)
    assert control.heard == ["/first from the user data, trixie, alice", "/cryptography yes"]
    assert hosts.alive(7)
    until(lambda: "Debian" in hosts.console(7))
    hosts.stop(7)
    assert not hosts.alive(7)
    assert not (tmp_path / "debian/machine-7").exists()
    hosts.close()
    until(lambda: namespaces() <= before)
    assert traces(tmp_path) == []
    assert groups.found(hosts._group(7)) == []


def test_power_is_cut_and_the_disk_is_kept(hosts, control, until):
    machine = Machine(7, "alice", str(hosts.network[ADDRESS_IN_LAN]), user_data(hosts, control))
    hosts.restore([machine])
    until(lambda: len(control.heard) == 2)
    hosts.halt(7)
    assert not hosts.alive(7)
    hosts.restore([machine])
    until(lambda: control.heard[2:] == ["/second again"])


def test_a_host_that_reboots_itself_comes_back(hosts, control, until):
    data = user_data(hosts, control) + "power_state: {mode: reboot, delay: now}\n"
    hosts.boot(7, "alice", str(hosts.network[ADDRESS_IN_LAN]), data)
    until(lambda: "/second again" in control.heard)
    assert hosts.alive(7)


def test_what_a_killed_sandbox_leaves_is_swept_by_the_next(tmp_path, control, until):
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"no Debian host can run here: {obstacle}")
    code = (
        "import pathlib, sys, threading\n"
        "from sandbox.hosts import choose\n"
        "hosts = choose('debian', pathlib.Path(sys.argv[1]), int(sys.argv[2]), lambda text: None)\n"
        "hosts.boot(7, 'alice', str(hosts.network[10]), '#cloud-config\\n')\n"
        "print('up', flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(control.port)]
    sandbox = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if sandbox.stdout.readline() != "up\n":
        pytest.skip("no Debian host can be prepared here")
    sandbox.send_signal(signal.SIGKILL)
    sandbox.wait()
    sandbox.stdout.close()
    until(lambda: not traces(tmp_path))
    after = choose("debian", tmp_path, control.port, on_log=lambda text: None)
    assert groups.found(after._group(7))
    after.prepare()
    assert groups.found(after._group(7)) == []
    after.close()


def test_hosts_reach_nothing_but_each_other_and_the_control_plane(hosts, control, until):
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    url = f"http://{hosts.address_of_control}"
    tries = (
        f"curl -s -m 3 {url}:{other.server_port}/ || echo loopback-closed",
        "curl -s -m 3 http://192.0.2.1/ || echo world-closed",
        "getent hosts example.com || echo names-closed",
    )
    script = "; ".join(tries)
    data = f"#cloud-config\nruncmd:\n- [sh, -c, 'curl -s -d \"$({script})\" {url}:{control.port}/tries']\n"
    hosts.boot(7, "alice", str(hosts.network[ADDRESS_IN_LAN]), data)
    until(lambda: control.heard)
    assert control.heard == ["/tries loopback-closed\nworld-closed\nnames-closed"]
    other.server_close()
