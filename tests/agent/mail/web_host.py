"""A Debian host with the mail system's packages, other machines of its network, and an ACME server whose validity a test chooses."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509

from agent import build
from sandbox.hosts import Hosts, HostsUnavailable, choose
from sandbox.hosts.debian import groups, lan, machines, possible
from sandbox.internet.ca import Authority
from sandbox.internet.names import Names
from sandbox.internet.pebble import DIRECTORY, Pebble
from sandbox.internet.records import Record
from sandbox.internet.trust import Trust
from tests.agent.orders import mail
from tests.sandbox.hosts import baked

ROOT = Path(__file__).parents[3]
DRIVER = Path(__file__).with_name("drive_web.py")
HOSTNAME = "post.servers.test"
MACHINE, PLACE, LAPTOP, OTHER_ACME = 1, 10, 6, 7
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 300.0  # seconds on a busy machine
Result = TypeVar("Result")


class WebHost:
    """Alice's server, and Charlie's laptop beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.hosts: Hosts = choose("debian", home, _free_port(), on_log=lambda _line: None)
        self.hosts.prepare()
        self.address = str(self.hosts.network[PLACE])
        self.names = Names(home, self.hosts.network)
        self.point(HOSTNAME)

    def boot(self) -> None:
        """Start it from the image of the whole mail system; no agent comes, the tests drive its parts."""
        self.hosts.boot(MACHINE, HOSTNAME, self.address, "#cloud-config\n{}\n", baked.image(self.hosts))
        deadline = time.monotonic() + PATIENCE
        while not self._says("systemctl", "is-system-running", "--wait"):
            assert time.monotonic() < deadline, self.hosts.console(MACHINE)[-2000:]
            time.sleep(0.2)  # until systemd has made itself a home and can be asked at all
        self.run("cloud-init", "status", "--wait", check=False)

    def close(self) -> None:
        self.hosts.close()

    def _process(self) -> str:
        """The first process of the host, as this computer numbers it; nothing while there is none."""
        place, folder = groups.root(), self.home.resolve() / f"debian/machine-{MACHINE}"
        for scope in place.glob("mailat-*/payload/init.scope/cgroup.procs") if place else ():
            for pid in scope.read_text().split()[:1]:
                if f"upperdir={folder / 'upper'}," in Path(f"/proc/{pid}/mountinfo").read_text():
                    return pid
        return ""

    @property
    def root(self) -> Path:
        """The host's own file system."""
        return Path(f"/proc/{self._process()}/root")

    def _says(self, *command: str) -> str:
        """What a command prints that needs no unit of its own; nothing before the host can be entered."""
        if not (process := self._process()):
            return ""
        enter = ["nsenter", "--target", process, "--all", "--", "/usr/bin/env", "-i", PATH, *command]
        done = subprocess.run(enter, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout.strip().replace("offline", "")

    def run(self, *command: str, check: bool = True) -> str:
        """What a command on the host prints; run as a unit there, with what its systemd grants."""
        enter = ["nsenter", "--target", self._process(), "--all", "--", "/usr/bin/env", "-i", PATH]
        unit = ["systemd-run", "--quiet", "--pipe", "--wait", "--setenv=HOME=/root", "--"]
        done = subprocess.run(
            [*enter, *unit, *command], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def point(self, *names: str) -> None:
        """Let names lead to the host."""
        self.names.add([Record(name, "A", self.address) for name in names])

    def order(self, what: str, *, directory: str = DIRECTORY, check: bool = True, **changes: object) -> str:
        """Let the driver do something with an order."""
        wanted = mail(**{"mailboxes": [], "acme": {"directory": directory, "contact": ""}, **changes})
        told = {"hostname": HOSTNAME, "addresses": [self.address], "mail": wanted}
        (self.root / "root/order.json").write_text(json.dumps(told))
        return self.run("python3", "/root/drive_web.py", what, "/root/order.json", check=check)

    def turn(self, **changes: Any) -> dict[str, dict[str, Any]]:
        """One turn of the chore; its reports by name, once all that it reports is shown."""
        said = {each["name"]: each for each in json.loads(self.order("turn", **changes))["certificates"]}
        self.wait_shown(said)
        return said

    def wait_shown(self, said: dict[str, dict[str, Any]]) -> None:
        """Until the web server answers with each certificate that the chore reported."""
        for name, each in said.items():
            if each["names"]:
                self._wait_shown(name, each["names"][0])

    def _wait_shown(self, kept: str, name: str) -> None:
        """After a reload the web server's workers of before answer for a moment longer."""
        chain = (self.root / "var/lib/mailat/mail/tls" / kept / "fullchain.pem").read_bytes()
        wanted, deadline = x509.load_pem_x509_certificate(chain).serial_number, time.monotonic() + PATIENCE
        while self._serial_or_none(name) != wanted:
            assert time.monotonic() < deadline, f"the certificate in force for {name} is never shown"
            time.sleep(0.05)

    def _serial_or_none(self, name: str) -> int | None:
        try:
            return int(self.serial(name), 16)
        except ssl.SSLError:  # it does not know the name yet
            return None

    def install_agent(self, place: Path) -> None:
        """Bring the agent as it is packed, and the driver."""
        packed, _ = build.write(place)
        shutil.copy(packed, self.root / "root/agent.pyz")
        shutil.copy(DRIVER, self.root / "root/drive_web.py")

    def at(self, place: int, work: Callable[[machines.Machine], Result]) -> Result:
        """What `work` returns for another machine of the network."""
        with machines.noted(lan.notes(self.home)).machine(str(self.hosts.network[place])) as machine:
            return work(machine)

    def ask(
        self, name: str, path: str = "/", method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """What a laptop that trusts this internet's authorities gets by HTTPS; raises ssl.SSLError where it may not."""

        def ask() -> tuple[int, dict[str, str], str]:
            connection = http.client.HTTPConnection(self.address, 443, timeout=60)
            context = ssl.create_default_context(cafile=str(Trust(self.home).bundle))
            raw = socket.create_connection((self.address, 443), timeout=60)
            connection.sock = context.wrap_socket(raw, server_hostname=name)
            connection.request(method, path, body, {"Host": name, **headers})
            answer = connection.getresponse()
            fields = {key.lower(): "\n".join(answer.headers.get_all(key) or ()) for key in answer.headers}
            return answer.status, fields, answer.read().decode()

        return self.at(LAPTOP, lambda machine: machine.inside(ask))

    def ask_plain(self, name: str, path: str = "/") -> tuple[int, dict[str, str]]:
        """The same by HTTP."""

        def ask() -> tuple[int, dict[str, str]]:
            connection = http.client.HTTPConnection(self.address, 80, timeout=60)
            connection.request("GET", path, headers={"Host": name})
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}

        return self.at(LAPTOP, lambda machine: machine.inside(ask))

    def serial(self, name: str) -> str:
        """Which certificate the web server shows for a name."""

        def look() -> str:
            context = ssl.create_default_context(cafile=str(Trust(self.home).bundle))
            with socket.create_connection((self.address, 443), timeout=60) as raw:
                shown = context.wrap_socket(raw, server_hostname=name).getpeercert()
            assert shown
            return str(shown["serialNumber"])

        return self.at(LAPTOP, lambda machine: machine.inside(look))

    @contextmanager
    def short_lived(self, seconds: int, patch: pytest.MonkeyPatch) -> Iterator[str]:
        """Another ACME server, whose certificates last so long; its directory."""
        patch.setenv("MAILAT_PEBBLE_VALIDITY", str(seconds))
        own = self.home / "other"
        if not (
            own / "internet"
        ).exists():  # its own files, but the same authority, which everybody here trusts
            shutil.copytree(self.home / "internet/ca", own / "internet/ca")
        assert Authority(own).pem == Authority(self.home).pem
        with machines.noted(lan.notes(self.home)).machine(str(self.hosts.network[OTHER_ACME])) as machine:
            pebble = Pebble(machine, str(self.hosts.network[1]), own, Trust(self.home))
            try:
                self.trust()
                yield f"https://{machine.address}/dir"
            finally:
                pebble.close()

    def trust(self) -> None:
        """Let the host trust what is trusted here by now."""
        with (self.root / "etc/ssl/certs/ca-certificates.crt").open("ab") as bundle:
            bundle.write(Trust(self.home).bundle.read_bytes())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def make(home: Path) -> WebHost:
    """The host, or a skip that says why there is none."""
    if obstacle := possible.why_not(home):
        pytest.skip(f"no Debian host can run here: {obstacle}")
    try:
        host = WebHost(home)
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    try:
        host.boot()
    except BaseException:
        host.close()
        raise
    return host
