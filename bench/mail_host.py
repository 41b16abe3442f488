"""A customer's server as a real Debian host for `bin/bench mail`, what is ordered of it, and strangers who write to it."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from agent import build
from devtools.paths import ROOT
from sandbox.hosts import choose
from sandbox.hosts.debian import groups, lan, machines, possible
from sandbox.hosts.debian.hosts import DebianHosts
from sandbox.internet.addresses import LAPTOP
from sandbox.internet.names import Names
from sandbox.internet.pebble import DIRECTORY
from sandbox.internet.records import Record
from tests.agent import orders
from tests.agent.control_plane import ControlPlane
from tests.sandbox.hosts import baked

HOSTNAME = "post.servers.test"
USERS = [f"{name}@firm.test" for name in ("alice", "bob", "dora", "emil")]
ALICE, SECRET = USERS[0], "secret-of-the-bench"
FIRST, PLACES = 10, 200  # machines' places in the network
PATIENCE = 900.0  # seconds for anything at all
INSTALLER = ROOT / "servers/install.sh"
NOTHING = "#cloud-config\n{}\n"

Result = TypeVar("Result")
Report = dict[str, Any]


class Place:
    """A network with Debian hosts, one at a time."""

    def __init__(self, hosts: DebianHosts, home: Path, control: ControlPlane) -> None:
        self.hosts, self.home, self.control = hosts, home, control
        self.control.patience = PATIENCE
        self.image = baked.image(hosts)
        self.machine = 0

    @property
    def address(self) -> str:
        return str(self.hosts.network[FIRST + self.machine % PLACES])

    @contextmanager
    def server(self, *, image: int | None) -> Iterator[float]:
        """A server that follows its user data, with the order waiting for it; gives when it was turned on."""
        self._next()
        self.control.reset()
        self.control.want(1, hostname=HOSTNAME, mail=wanted())
        with self._machine(self.user_data(), image) as began:
            yield began

    @contextmanager
    def plain(self) -> Iterator[float]:
        """A Debian host of whom nothing is wanted."""
        self._next()
        with self._machine(NOTHING, None) as began:
            self._settle()
            yield began

    @contextmanager
    def _machine(self, user_data: str, image: int | None) -> Iterator[float]:
        began = time.monotonic()
        self.hosts.boot(self.machine, HOSTNAME, self.address, user_data, image)
        try:
            yield began
        finally:
            self.hosts.stop(self.machine)

    def _settle(self) -> None:
        """Wait until everything that begins at a boot has begun."""
        until = time.monotonic() + PATIENCE
        while self.enter("systemctl", "is-system-running", "--wait").stdout.strip() not in (
            "running",
            "degraded",
        ):
            if time.monotonic() > until:
                sys.exit("a plain host did not come up")
            time.sleep(0.1)

    def _next(self) -> None:
        self.machine += 1
        names = Names(self.home, self.hosts.network)
        names.remove(HOSTNAME)
        names.add([Record(HOSTNAME, "A", self.address)])

    def user_data(self) -> str:
        """What the product writes, for this control plane; see servers/userdata.py."""
        url = f"http://{self.hosts.address_of_control}:{self.control.door.server_port}"
        config = {
            "control": url,
            "server": self.control.server,
            "token": self.control.token,
            "order_keys": {self.control.signer.name: self.control.signer.public},
            "agent_url": f"{url}/agent/v1/agent.pyz",
            "agent_sha256": build.sha256(),
        }
        program = "/usr/local/sbin/mailat-install"
        files = [
            {"path": "/etc/mailat/agent.json", "permissions": "0600", "content": json.dumps(config)},
            {"path": program, "permissions": "0755", "content": INSTALLER.read_text()},
        ]
        return "#cloud-config\n" + json.dumps({"write_files": files, "runcmd": [[program]]})

    def ready(self) -> None:
        """Wait until the server says all that is asked of a ready one."""
        self.control.wait_for_report(is_ready)

    def outside(self, work: Callable[[], Result]) -> Result:
        """What `work` returns on another machine of the network."""
        network = machines.noted(lan.notes(self.home))
        with network.machine(str(self.hosts.network[LAPTOP])) as machine:
            return machine.inside(work)

    def run(self, *command: str) -> str:
        """What a command prints on the host, as a unit there."""
        words = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--expand-environment=no"]
        done = self.enter(*words, "--setenv=HOME=/root", "--", *command)
        if done.returncode:
            sys.exit(f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return done.stdout

    def enter(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in the host's namespaces, with what this process may."""
        enter = ["nsenter", "--target", str(self.first_process()), "--all", "--", *words]
        return subprocess.run(enter, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def put(self, path: str, text: str) -> None:
        """Write a file of the host."""
        packed = base64.b64encode(text.encode()).decode()
        self.run("sh", "-c", f"mkdir -p $(dirname {path}) && echo {packed} | base64 -d >{path}")

    def first_process(self) -> int:
        """systemd, once it is there."""
        until = time.monotonic() + PATIENCE
        while not (found := (self.group() / "payload/init.scope/cgroup.procs").read_text().split()):
            if time.monotonic() > until:
                sys.exit("a host did not begin")
            time.sleep(0.02)
        return int(found[0])

    def group(self) -> Path:
        """The machine's control group."""
        (group,) = (groups.root() or Path("/nowhere")).glob(f"mailat-{self.hosts._tag}-{self.machine}")
        return group


def wanted() -> dict[str, object]:
    """One customer: a domain, a few mailboxes, no way out yet."""
    acme = {"directory": DIRECTORY, "contact": ""}
    return orders.mail(mailboxes=[orders.mailbox(user, password=hashed(SECRET)) for user in USERS], acme=acme)


def hashed(password: str) -> str:
    """As orders have it."""
    salt = b"salt-of-the-bench"
    digest = hashlib.sha512(password.encode() + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode()


def is_ready(report: Report) -> bool:
    """What servers/proof.py demands of a new server."""
    mail = report.get("mail") or {}
    canary, certificates = mail.get("canary") or {}, mail.get("certificates") or []
    if report["undone"] or not mail.get("probes") or any(mail["probes"].values()):
        return False
    return bool(certificates and not certificates[0]["error"] and certificates[0]["until"]) and bool(
        canary.get("seconds") and not canary["misses"]
    )


@contextmanager
def place(home: Path) -> Iterator[Place]:
    """The network for as long as the block; ends the benchmark where this computer can run no hosts."""
    if obstacle := possible.why_not(home):
        sys.exit(f"skipped: needs root on Linux ({obstacle})")
    control = ControlPlane()
    hosts = choose("debian", home, control.door.server_port, on_log=lambda _line: None)
    assert isinstance(hosts, DebianHosts)
    try:
        hosts.prepare()
        yield Place(hosts, home, control)
    finally:
        hosts.close()
        control.close()
