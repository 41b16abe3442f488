"""What programs in the hosts' network find there: names, packages, other machines, and a way in from this computer."""

from __future__ import annotations

import hashlib
import http.server
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

import pytest

from sandbox.hosts.debian import machines
from sandbox.hosts.debian.lan import Lan, notes
from sandbox.internet.aptproxy import AptProxy, Kept
from tests.sandbox.internet.conftest import NETWORK, ROOT

pytestmark = pytest.mark.root

RESOLVE = """
import dns.resolver, socket, sys
for tcp in (False, True):
    print(*dns.resolver.resolve("outside.test", "MX", tcp=tcp))
print(socket.gethostbyname("mail.outside.test"), socket.gethostbyaddr("10.77.254.5")[0])
try:
    socket.gethostbyname("example.org")
except socket.gaierror as problem:
    print(problem.errno == socket.EAI_NONAME)
"""
SERVE = """
import http.server, sys, threading
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(self.client_address[0].encode())
        threading.Thread(target=self.server.shutdown).start()
    def log_message(self, *words): pass
server = http.server.HTTPServer((sys.argv[1], 80), Door)
print("ready", flush=True)
server.serve_forever()
"""


def test_a_program_in_the_network_has_its_names(net):
    assert net.python(RESOLVE).splitlines() == [
        "10 mail.outside.test.", "10 mail.outside.test.", "10.77.254.4 attacker.sandbox.test", "True",
    ]  # fmt: skip


def test_a_name_that_is_entered_is_there_at_once(net):
    net.post("names", name="new.test", type="A", value="10.77.254.10")
    assert net.python("import socket; print(socket.gethostbyname('new.test'))") == "10.77.254.10\n"


def test_the_exit_status_is_the_commands_own(net):
    assert net.run("sh", "-c", "exit 7").returncode == 7
    assert net.run("cat", "/etc/resolv.conf").stdout == "nameserver 10.77.254.1\n"
    assert "10.77.254.1" not in pathlib.Path("/etc/resolv.conf").read_text()


def test_a_machine_that_is_not_there_is_said_in_words(net, tmp_path):
    refused = net.run("true", at=".200")
    assert (refused.returncode, "no machine of the sandbox has the address" in refused.stderr) == (125, True)
    outside = [sys.executable, "-m", "sandbox.internet.outside", "--home", str(tmp_path), "--", "true"]
    absent = subprocess.run(outside, capture_output=True, text=True, cwd=ROOT)
    assert (absent.returncode, "no network of Debian hosts" in absent.stderr) == (125, True)


def test_nothing_beyond_the_network_is_reached(net):
    tried = net.python(
        "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 2)\nexcept OSError as problem: print(type(problem).__name__)"
    )
    assert tried.strip() in ("TimeoutError", "OSError")


def test_the_attacker_is_another_machine_than_the_laptop(net):
    outside = [
        sys.executable,
        "-m",
        "sandbox.internet.outside",
        "--home",
        str(net.home),
        "--address",
        ".7",
        "--",
    ]
    serving = [*outside, sys.executable, "-c", SERVE, "10.77.254.7"]
    for machine in (5, 6):
        with subprocess.Popen(serving, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            ask = "import urllib.request; print(urllib.request.urlopen('http://10.77.254.7/', timeout=20).read().decode())"
            assert net.python(ask, at=f".{machine}").strip() == f"10.77.254.{machine}"


def by_socks(net, host: str, port: int) -> tuple[int, socket.socket]:
    """The proxy's answer, and the connection."""
    address, _, own_port = net.world.internet.socks.rpartition(":")
    line = socket.create_connection((address, int(own_port)), timeout=30)
    line.sendall(b"\x05\x01\x00")
    assert line.recv(2) == b"\x05\x00"
    line.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + struct.pack("!H", port))
    return line.recv(10)[1], line


def test_a_browser_of_this_computer_reaches_machines_by_name(net):
    status, line = by_socks(net, "mail.outside.test", 25)
    with line:
        assert status == 0
        assert line.recv(100).startswith(b"220 mail.outside.test")


@pytest.mark.parametrize(
    ("host", "port", "status"),
    [
        ("127.0.0.1", 80, 2),
        ("192.0.2.1", 80, 2),
        ("charlie.test", 80, 4),
        ("laptop.sandbox.test", 9, 5),
        ("10.77.254.99", 80, 4),
    ],
)
def test_the_proxy_goes_nowhere_else(net, host, port, status):
    told, line = by_socks(net, host, port)
    line.close()
    assert told == status


class Mirror:
    """A mirror on loopback that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.files = {"/debian/pool/a.deb": os.urandom(300_000), "/debian/dists/InRelease": b"first"}
        self.modified = "Sat, 21 Nov 2026 10:00:00 GMT"
        mirror = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                content = mirror.files.get(self.path)
                same = self.headers.get("If-Modified-Since") == mirror.modified
                self.send_response(404 if content is None else 304 if same else 200)
                if content is not None and not same:
                    self.send_header("Last-Modified", mirror.modified)
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if content is not None and not same:
                    self.wfile.write(content)

            def log_message(self, *words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror():
    made = Mirror()
    yield made
    made.close()


@pytest.fixture
def proxy(mirror, net, tmp_path):
    allowed = {"http://packages.test/debian/": f"http://127.0.0.1:{mirror.server.server_port}/debian/"}
    made = AptProxy(net.lan.listen(8, 3142), tmp_path / "apt", allowed)
    yield made
    made.close()


FETCH = """
import hashlib, sys, threading, urllib.error, urllib.request
way = urllib.request.build_opener(urllib.request.ProxyHandler({"http": "http://10.77.254.8:3142"}))
def say(text): sys.stdout.write(text + chr(10))
def fetch(address):
    try:
        with way.open(address, timeout=60) as answer: say(hashlib.sha256(answer.read()).hexdigest())
    except urllib.error.HTTPError as problem: say(str(problem.code))
threads = [threading.Thread(target=fetch, args=[address]) for address in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
PACKAGE, INDEX = "http://packages.test/debian/pool/a.deb", "http://packages.test/debian/dists/InRelease"


def fetched(net, *addresses: str) -> list[str]:
    return net.python(FETCH, *addresses).split()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_many_who_want_one_package_cause_one_download(net, proxy, mirror):
    assert fetched(net, *[PACKAGE] * 6) == [digest(mirror.files["/debian/pool/a.deb"])] * 6
    assert mirror.asked == ["/debian/pool/a.deb"]


def test_an_index_is_asked_for_again_and_comes_from_here_when_the_mirror_is_away(net, proxy, mirror):
    assert fetched(net, INDEX) == fetched(net, INDEX) == [digest(b"first")]
    assert len(mirror.asked) == 2
    mirror.files["/debian/dists/InRelease"], mirror.modified = b"second", "Sat, 21 Nov 2026 11:00:00 GMT"
    assert fetched(net, INDEX) == [digest(b"second")]
    mirror.close()
    assert fetched(net, INDEX) == [digest(b"second")]


def test_only_mirrors_can_be_reached(net, proxy, mirror):
    elsewhere = ["http://127.0.0.1/", "http://packages.test/other", "http://packages.test/debian/../x"]
    assert fetched(net, *elsewhere, "http://packages.test/debian/none").count("403") == 3
    assert mirror.asked == ["/debian/none"]


def test_a_download_that_broke_off_is_not_kept(net, proxy, mirror, tmp_path):
    address = proxy.address_of(PACKAGE)
    kept = Kept.of(tmp_path / "apt", address)
    mirror.files["/debian/pool/a.deb"] = Short(b"x" * 1000)
    assert "IncompleteRead" in net.run(sys.executable, "-c", FETCH, PACKAGE).stderr
    assert not kept.path.exists()
    mirror.files["/debian/pool/a.deb"] = b"whole"
    assert fetched(net, PACKAGE) == [digest(b"whole")]


class Short(bytes):
    """Says that it is longer than it is."""

    def __len__(self) -> int:
        return 2000


def test_a_network_that_has_ended_is_not_taken_for_one_that_is_there(tmp_path):
    (tmp_path / "debian").mkdir()
    lan = Lan(NETWORK, 1, tmp_path / "debian")
    told = notes(tmp_path).read_text()
    assert machines.noted(notes(tmp_path)).network == NETWORK
    lan.close()
    notes(tmp_path).write_text(told)  # as a killed sandbox leaves it
    with pytest.raises(machines.NoLan):
        machines.noted(notes(tmp_path))
