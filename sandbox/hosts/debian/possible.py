"""Tries what Debian hosts need of this computer, instead of guessing from its name."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

from sandbox.hosts.debian import groups

TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "apt-get": "apt",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
TRIAL = """set -e
mount -t cgroup2 none /sys/fs/cgroup
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
ip link set lo up
ip link add br0 type bridge
ip link add v0 type veth peer name eth0
"""


def why_not(home: pathlib.Path) -> str:
    """What stands in the way in plain words, or nothing where Debian hosts can run with their disks below `home`."""
    if sys.platform != "linux":
        return "this is not Linux"
    if os.geteuid() != 0:
        return "only root may start them"
    if absent := sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)}):
        return f"missing packages: {', '.join(absent)}"
    return groups.why_not() or _trial(home)


def _trial(home: pathlib.Path) -> str:
    place = home / "trial"
    for name in ("lower", "upper", "work", "root"):
        (place / name).mkdir(parents=True, exist_ok=True)
    command = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", TRIAL]
    try:
        run = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"namespaces could not be tried: {problem}"
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return "" if run.returncode == 0 else f"namespaces are limited here: {run.stderr.strip()[-200:]}"
