"""On a real Debian host, installed by its user data and run by its unit, the agent has the host to itself."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import build
from sandbox.hosts import Hosts, HostsUnavailable, choose
from sandbox.hosts.debian import possible
from tests.agent.control_plane import ControlPlane
from tests.sandbox.hosts import baked

ROOT = Path(__file__).parents[2]
MACHINE = 1
PATIENCE = 400.0  # seconds for a boot on a busy machine

pytestmark = pytest.mark.root


@pytest.fixture
def hosts(tmp_path: Path, control: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    """Debian hosts that reach the control plane, their image kept from run to run."""
    monkeypatch.setenv("MAILAT_CACHE", os.environ.get("MAILAT_CACHE") or str(ROOT / "var/cache"))
    if obstacle := possible.why_not(tmp_path):
        pytest.skip(f"no Debian host can run here: {obstacle}")
    hosts = choose("debian", tmp_path, control.door.server_port, on_log=lambda _line: None)
    try:
        hosts.prepare()
    except HostsUnavailable as problem:
        pytest.skip(f"no Debian host can be prepared here: {problem}")
    yield hosts
    hosts.close()


def user_data(hosts: Hosts, control: ControlPlane) -> str:
    """What the product writes, for this control plane."""
    url = f"http://{hosts.address_of_control}:{control.door.server_port}"
    config = {
        "control": url,
        "server": control.server,
        "token": control.token,
        "order_keys": {control.signer.name: control.signer.public},
        "agent_url": f"{url}/agent/v1/agent.pyz",
        "agent_sha256": build.sha256(),
    }
    installer = (ROOT / "servers/install.sh").read_text()
    files = [
        {"path": "/etc/mailat/agent.json", "permissions": "0600", "content": json.dumps(config)},
        {"path": "/usr/local/sbin/mailat-install", "permissions": "0755", "content": installer},
    ]
    return "#cloud-config\n" + json.dumps(
        {"write_files": files, "runcmd": [["/usr/local/sbin/mailat-install"]]}
    )


def boot(hosts: Hosts, control: ControlPlane) -> None:
    address = str(hosts.network[10])
    hosts.boot(MACHINE, "debian", address, user_data(hosts, control), baked.image(hosts))


def test_it_names_the_host_watches_its_units_and_outlives_a_power_cut(
    hosts: Hosts, control: ControlPlane, tmp_path: Path
) -> None:
    control.patience = PATIENCE
    control.want(4, services=["mailat-agent.service", "systemd-journald.service", "nothing.service"])
    boot(hosts, control)
    first = control.wait_for_report(lambda report: report["applied"] == 4 and report["cpu"] is not None)

    assert first["undone"] == []
    assert first["services"] == {
        "mailat-agent.service": "active",
        "systemd-journald.service": "active",
        "nothing.service": "inactive",
    }
    disk = tmp_path / f"debian/machine-{MACHINE}/upper"  # not looked through, for the host is at work on it
    assert (disk / "etc/hostname").read_text() == "alice.mailat.test\n"
    config = disk / "etc/mailat/agent.json"
    assert control.token not in config.read_text()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600

    hosts.halt(MACHINE)
    boot(hosts, control)
    again = control.wait_for_report(lambda report: report["boot_id"] != first["boot_id"])

    assert (again["applied"], again["undone"]) == (4, [])
    assert len(set(control.bearers)) == 1
    assert int(str(again["seq"])) > int(str(first["seq"]))
