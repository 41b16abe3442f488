"""The sandbox beside the product: how it is started, and what it says about itself."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from devtools import apt
from devtools.environment import outside_world
from devtools.paths import CACHE, ROOT, VENV_PYTHON
from devtools.run import last_lines
from devtools.say import Failed, Stage, say, stage
from devtools.services import own_port
from devtools.supervisor import Process, Supervisor

LOOPBACK = "127.0.0.1"
NETWORK = (
    "internet",
    "socks",
    "lan",
    "acme",
    "acme_why",
    "ca",
    "aws",
    "storage_api",
    "storage_api_of_servers",
    "storage_region",
    "storage_bucket",
)  # of the internet that servers live in
NO_ACME = "https://acme.sandbox.test/dir"  # nobody answers there, as is right where there are no hosts
HOST_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "pebble": "pebble",
    "zstd": "zstd",
    "ip": "iproute2",
}


@dataclass(frozen=True)
class World:
    """What the sandbox said when it was ready."""

    url: str
    hetzner_api: str
    gumroad_api: str
    store: str
    subscriptions: str
    mailbox: str
    smtp: str
    hosts: str
    why: str
    agent_host: str
    internet: str = ""
    socks: str = ""
    lan: str = ""
    acme: str = ""
    acme_why: str = ""
    ca: str = ""
    aws: str = ""
    storage_api: str = ""
    storage_api_of_servers: str = ""
    storage_region: str = ""
    storage_bucket: str = ""

    def settings(self, port: int) -> dict[str, str]:
        """The product's settings that say where the outside world is."""
        agent_url = f"http://{self.agent_host}:{port}"
        return (
            outside_world(self.hetzner_api, self.gumroad_api, self.store, self.subscriptions, self.smtp)
            | {"AGENT_URL": agent_url, "ACME_DIRECTORY_URL": self.acme or NO_ACME, "AWS_API_URL": self.aws}
            | self._storage()
        )

    def _storage(self) -> dict[str, str]:
        """Where the storage is; its key is a secret of the installation."""
        return {
            "STORAGE_URL": self.storage_api,
            "STORAGE_SIGN_URL": self.storage_api_of_servers,
            "STORAGE_REGION": self.storage_region,
            "STORAGE_BUCKET": self.storage_bucket,
        }


def settle_hosts(wanted: str) -> str:
    """Installs what real Debian hosts need, if they are wanted; the sandbox sees for itself what came of it."""
    if wanted not in {"auto", "debian"}:
        return wanted
    reason = _why_no_hosts()
    if reason and wanted == "debian":
        raise Failed(f"Real Debian hosts cannot run here: {reason}. Without --hosts they are processes.")
    return wanted


def _why_no_hosts() -> str | None:
    if sys.platform != "linux":
        return "real Debian hosts need Linux"
    if os.geteuid() != 0:
        return "real Debian hosts need root"
    packages = apt.missing(HOST_PROGRAMS)
    if not packages:
        return None
    if reason := apt.why_not():
        return f"{', '.join(packages)} missing, and {reason}"
    say(f"  Installing {', '.join(packages)} for real Debian hosts (--hosts process does without)")
    try:
        with stage("Debian packages"):
            apt.install(packages)
    except Failed as problem:
        say(str(problem))
        return "their packages could not be installed"
    return None


def process(home: Path, env: dict[str, str], site: str, hosts: str) -> Process:
    """Its ports are chosen once, so that a restart comes back at the same place."""
    ports = ["--port", str(own_port(8010)), "--smtp-port", str(own_port(8025))]
    ports += ["--socks-port", str(own_port(8080)), "--storage-port", str(own_port(8033))]
    words = ["--home", str(home / "sandbox"), *ports]
    command = [str(VENV_PYTHON), "-m", "sandbox", *words, "--hosts", hosts, "--control-url", site]
    logs = home / "logs"
    env = {"MAILAT_CACHE": str(CACHE)} | env
    return Process(
        "sandbox",
        command,
        env,
        logs / "sandbox.log",
        ROOT,
        20.0,
        used_by_others=True,
        out=home / "sandbox.out",
    )


def wait_ready(one: Process, supervisor: Supervisor, line: Stage) -> World:
    """Until it has printed its one line; building a Debian image the first time takes a minute."""

    def ready() -> bool:
        line.note = last_lines(one.log, 1).strip() if one.log.exists() else ""
        return _said(one) is not None

    supervisor.watch(ready)
    said = _said(one)
    if said is None:
        raise Failed(f"The sandbox did not say where it is; see {one.log}.")
    return World(
        url=said["url"],
        hetzner_api=said["hetzner_api"],
        gumroad_api=said["gumroad_api"],
        store=said["store"],
        subscriptions=said["subscriptions"],
        mailbox=said["mail"],
        smtp=f"smtp://{said['smtp']}",
        hosts=said["hosts"],
        why=said.get("why", ""),
        agent_host=said.get("agent_host") or LOOPBACK,
        **{name: said.get(name, "") for name in NETWORK},
    )


def _said(one: Process) -> dict[str, str] | None:
    """Its JSON line, once it is whole."""
    if not one.out or not one.out.exists():
        return None
    for text in one.out.read_text(errors="replace").splitlines(keepends=True):
        if text.startswith("{") and text.endswith("\n"):
            return dict(json.loads(text))
    return None
