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
HOST_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "dnsmasq": "dnsmasq-base",
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

    def settings(self, port: int) -> dict[str, str]:
        """The product's settings that say where the outside world is."""
        agent_url = f"http://{self.agent_host}:{port}"
        return outside_world(
            self.hetzner_api, self.gumroad_api, self.store, self.subscriptions, self.smtp
        ) | {"AGENT_URL": agent_url}


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
    )


def _said(one: Process) -> dict[str, str] | None:
    """Its JSON line, once it is whole."""
    if not one.out or not one.out.exists():
        return None
    for text in one.out.read_text(errors="replace").splitlines(keepends=True):
        if text.startswith("{") and text.endswith("\n"):
            return dict(json.loads(text))
    return None
