"""Alice's server twice, in turn: begun with the plain image, and with the one that was baked."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.hosts import HostsUnavailable, choose
from sandbox.hosts.debian import groups, possible
from sandbox.internet.names import Names
from sandbox.internet.pebble import DIRECTORY
from sandbox.internet.records import Record
from tests.agent.control_plane import ControlPlane
from tests.agent.orders import mail
from tests.agent.test_on_debian import user_data
from tests.sandbox.hosts import baked

ROOT = Path(__file__).parents[2]
HOSTNAME = "post.servers.test"
MACHINE, PLACE = 1, 10
PATIENCE = 900.0  # seconds for a whole mail system to be installed on a busy machine


class Way:
    """A host that follows the product's user data, and its control plane."""

    def __init__(self, home: Path, control: ControlPlane) -> None:
        self.control = control
        control.patience = PATIENCE
        self.hosts = choose("debian", home, control.door.server_port, on_log=lambda _line: None)
        self.hosts.prepare()
        self.address = str(self.hosts.network[PLACE])
        Names(home, self.hosts.network).add([Record(HOSTNAME, "A", self.address)])

    def up(self, *, from_baked: bool) -> None:
        """Until its agent has reported."""
        image = baked.image(self.hosts) if from_baked else None
        self.hosts.boot(MACHINE, HOSTNAME, self.address, user_data(self.hosts, self.control), image)
        self.control.wait_for_report(lambda report: report["applied"] == 0)

    def order(self) -> None:
        """Until mail works by all that the agent looks at."""
        wanted = mail(acme={"directory": DIRECTORY, "contact": ""}, canary_every=10)
        self.control.want(1, hostname=HOSTNAME, mail=wanted)
        self.control.wait_for_report(lambda report: works(report.get("mail")))

    def says(self, *command: str) -> str:
        """What the command prints, run as a unit of the host."""
        enter = ["nsenter", "--target", self._first_process(), "--all"]
        words = [*enter, "systemd-run", "--quiet", "--pipe", "--wait", "--", *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE).stdout

    def _first_process(self) -> str:
        place = groups.root()
        assert place
        (group,) = place.glob(f"mailat-{self.hosts._tag}-{MACHINE}")  # type: ignore[attr-defined]
        return (group / "payload/init.scope/cgroup.procs").read_text().split()[0]

    def packages(self) -> list[str]:
        asked = ("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\\n")
        return self.says(*asked).splitlines()

    def generation(self) -> dict[str, str]:
        """Mode and digest of each file in force, by path."""
        listing = "cd /etc/mailat/mail/ && find . -type f -printf '%P %m %u:%g ' -exec sha256sum {} \\;"
        lines = self.says("sh", "-c", listing).splitlines()
        return {path: kind for path, _, kind in (line.rpartition("  ")[0].partition(" ") for line in lines)}


def works(mail_says: dict[str, object] | None) -> bool:
    """Whether every probe went well, and a mail has come back."""
    if not mail_says:
        return False
    probes, canary = mail_says.get("probes"), mail_says.get("canary")
    well = isinstance(probes, dict) and probes and not any(probes.values())
    return bool(well and isinstance(canary, dict) and canary["seconds"] is not None)


@contextmanager
def way(home: Path) -> Iterator[Way]:
    """A host and its control plane for as long as the block; skips where none can run."""
    os.environ.setdefault("MAILAT_CACHE", str(ROOT / "var/cache"))
    home.mkdir(parents=True, exist_ok=True)
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    control = ControlPlane()
    try:
        opened = Way(home, control)
    except HostsUnavailable as problem:
        control.close()
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    try:
        yield opened
    finally:
        opened.hosts.close()
        control.close()
