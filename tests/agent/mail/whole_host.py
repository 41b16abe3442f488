"""Alice's server as it is sold: a Debian host that followed its user data, with its agent, in a network with names."""

import base64
import json
import os
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4, uuid5

import pytest

from sandbox.hosts import HostsUnavailable, choose
from sandbox.hosts.debian import groups, lan, machines, possible
from sandbox.internet.names import Names
from sandbox.internet.pebble import DIRECTORY
from sandbox.internet.records import Record
from tests.agent.control_plane import ControlPlane
from tests.agent.orders import mail
from tests.agent.test_on_debian import user_data
from tests.sandbox.hosts import baked

ROOT = Path(__file__).parents[3]
HOSTNAME = "post.servers.test"
MACHINE, PLACE, STRANGER = 1, 10, 6
PATIENCE = 400.0  # seconds on a busy machine

Report = dict[str, Any]
Result = TypeVar("Result")


class WholeHost:
    """The host, what its agent says, and a stranger in the same network who sends mail."""

    def __init__(self, home: Path, control: ControlPlane) -> None:
        self.home, self.control = home, control
        self.control.patience = PATIENCE
        self.hosts = choose("debian", home, control.door.server_port, on_log=lambda _line: None)
        self.hosts.prepare()
        self.address = str(self.hosts.network[PLACE])
        names = [Record(HOSTNAME, "A", self.address), Record("firm.test", "MX", f"10 {HOSTNAME}.")]
        Names(home, self.hosts.network).add(names)
        self.version, self.owners = 0, uuid4()

    def begin(self, **wanted: object) -> None:
        """Give the host to new owners who want this, and wait until it is done; the first of them boot it."""
        self.owners = uuid4()
        if not self.version:
            self.want(**wanted)
            self.boot()
            self.wait(lambda mail: mail["canary"]["seconds"])
        else:
            self.run("postsuper", "-d", "ALL")
            self.want(**wanted)
        assert self.undone() == []

    def undone(self) -> list[dict[str, str]]:
        """What of the last order could not be done, once no more comes of it."""
        report = self.control.wait_for_report(lambda report: report["applied"] == self.version)
        return list(report["undone"])

    def boot(self) -> None:
        """Start it, the first time by its user data."""
        image = baked.image(self.hosts)
        self.hosts.boot(MACHINE, HOSTNAME, self.address, user_data(self.hosts, self.control), image)

    def want(self, **changes: object) -> None:
        """Order a mail system."""
        self.version += 1
        wanted = mail(acme={"directory": DIRECTORY, "contact": ""}, canary_every=10, **changes)
        boxes: Any = wanted["mailboxes"]
        owned = [{**box, "id": str(uuid5(self.owners, box["address"]))} for box in boxes]
        self.control.want(self.version, hostname=HOSTNAME, mail={**wanted, "mailboxes": owned})

    def wait(self, fits: Callable[[Report], object]) -> Report:
        """What is reported of the mail system, in the first report from now on that fits."""
        heard = len(self.control.reports)

        def latest() -> Report | None:
            said = [report["mail"] for report in self.control.reports[heard:] if report.get("mail")]
            return next((each for each in said if fitting(each)), None)

        def fitting(said: Report) -> bool:
            try:
                return bool(fits(said))
            except (KeyError, TypeError):  # an agent that was just started has not looked at everything yet
                return False

        try:
            self.control.wait(lambda: latest() is not None)
        except AssertionError:
            last = self.control.reports[-1:]
            raise AssertionError(f"{json.dumps(last)[:3000]}\n{self.run('journalctl', '-n', '60')}") from None
        found = latest()
        assert found is not None
        return found

    def run(self, *command: str, check: bool = True) -> str:
        """What a command on the host prints; run as a unit there, with what its systemd grants."""
        enter = ["nsenter", "--target", self._first_process(), "--all"]
        words = [
            *enter,
            "systemd-run",
            "--quiet",
            "--pipe",
            "--wait",
            "--expand-environment=no",
            "--setenv=HOME=/root",
            "--",
            *command,
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def _first_process(self) -> str:
        place = groups.root()
        assert place
        (group,) = place.glob(f"mailat-{self.hosts._tag}-{MACHINE}")  # type: ignore[attr-defined]
        return (group / "payload/init.scope/cgroup.procs").read_text().split()[0]

    def put(self, path: str, text: str) -> None:
        """Write a file of the host."""
        packed = base64.b64encode(text.encode()).decode()
        self.run("sh", "-c", f"echo {packed} | base64 -d >{path}")

    def receive(self, subject: str) -> None:
        """A stranger hands in a mail for Alice as mail servers do, again and again until it is taken."""

        def send() -> bool:
            text = f"From: bob@stranger.test\r\nTo: alice@firm.test\r\nSubject: {subject}\r\n\r\nHello\r\n"
            try:
                with smtplib.SMTP(self.address, 25, local_hostname="stranger.test", timeout=120) as door:
                    door.sendmail("bob@stranger.test", ["alice@firm.test"], text)
            except (ConnectionError, smtplib.SMTPException) as refused:
                if not is_for_now(refused):
                    raise
                return False
            return True

        deadline = time.monotonic() + PATIENCE
        while not self.at(STRANGER, send):
            assert time.monotonic() < deadline, f"{subject} is never taken"
            time.sleep(1)

    def at(self, place: int, work: Callable[[], Result]) -> Result:
        """What `work` returns on another machine of the network."""
        with machines.noted(lan.notes(self.home)).machine(str(self.hosts.network[place])) as machine:
            return machine.inside(work)

    def subjects(self) -> list[str]:
        """What Alice has."""
        said = self.run("doveadm", "fetch", "-u", "alice@firm.test", "hdr.subject", "ALL", check=False)
        return sorted(line.partition(": ")[2] for line in said.splitlines() if line.startswith("hdr.subject"))


def is_for_now(refused: Exception) -> bool:
    """Whether a mail server would come again."""
    codes = [refused.smtp_code] if isinstance(refused, smtplib.SMTPResponseException) else []
    if isinstance(refused, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _said in refused.recipients.values()]
    return all(400 <= code < 500 for code in codes)


@contextmanager
def whole_host(home: Path) -> Iterator[WholeHost]:
    """A host and its control plane for as long as the block; skips where none can run."""
    os.environ.setdefault("MAILAT_CACHE", str(ROOT / "var/cache"))
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    control = ControlPlane()
    try:
        host = WholeHost(home, control)
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    try:
        yield host
    finally:
        host.hosts.close()
        control.close()
