"""The image of the whole mail system for tests on real hosts: one of this week from the cache, else made now as the product does."""

import datetime
import hashlib
import json
import pathlib
import time
from typing import Any

from sandbox.hosts import Hosts

INSTALLER = pathlib.Path(__file__).parents[3] / "servers/install.sh"
FRESH = datetime.timedelta(days=7)
MACHINE, PLACE = 900, 9
PATIENCE = 1200.0  # seconds to install everything on a busy machine


def version() -> str:
    """As the product names it."""
    return hashlib.sha256(INSTALLER.read_bytes()).hexdigest()[:12]


def image(hosts: Hosts, number: int = 900) -> int:
    """The number under which these hosts have the image, which is the one given."""
    labels = {"managed-by": "mailat", "image": "mail", "version": version()}
    since = datetime.datetime.now(datetime.UTC) - FRESH
    for key, about in hosts.remembered().items():
        fresh = datetime.datetime.fromisoformat(about["created"]) > since
        if about["labels"] == labels and fresh and hosts.adopt(key, number):
            return number
    bake(hosts)
    hosts.snapshot(MACHINE, number, about_it(labels))
    hosts.stop(MACHINE)
    return number


def bake(hosts: Hosts) -> None:
    """A machine installs everything, cleans itself and turns itself off; one that does not is shown."""
    hosts.boot(MACHINE, "bake", str(hosts.network[PLACE]), user_data())
    deadline = time.monotonic() + PATIENCE
    while hosts.alive(MACHINE):
        assert time.monotonic() < deadline, f"it did not turn itself off: {hosts.console(MACHINE)[-2000:]}"
        time.sleep(0.1)


def user_data() -> str:
    """The product's, see servers/userdata.py."""
    files = [
        {"path": "/etc/mailat/bake", "content": "", "permissions": "0600"},
        {
            "path": "/usr/local/sbin/mailat-install",
            "content": INSTALLER.read_text(),
            "permissions": "0755",
        },
    ]
    return "#cloud-config\n" + json.dumps(
        {"write_files": files, "runcmd": [["/usr/local/sbin/mailat-install"]]}
    )


def about_it(labels: dict[str, str]) -> dict[str, Any]:
    """What the stand-in of Hetzner would have noted, so that it finds this one as its own."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "labels": labels,
        "created": now.isoformat(timespec="seconds"),
        "description": "made by a test",
        "server": MACHINE,
        "server_name": f"baked-{now:%Y%m%d%H%M%S}",
        "architecture": "x86",
        "disk_size": 40,
    }
