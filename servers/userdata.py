"""What a new machine is told by cloud-init: where we are, who it is, and which agent to run.

Whoever runs a program on the machine can read it (https://docs.hetzner.cloud/), so it holds only a token that works once.
"""

import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from servers.models import Server
from vault import signing

INSTALLER = Path(__file__).with_name("install.sh")
LIMIT = 32 * 1024  # bytes, Hetzner's


def enrolment_token(server: Server, attempt: int | str) -> str:
    """The one-time token of the attempt's machine; made again by any worker, so that a lost answer loses nothing."""
    return signing.derive("enrolment", f"{server.pk}:{attempt}")


def user_data(server: Server, attempt: int | str) -> str:
    """A cloud-config; JSON is YAML."""
    return _cloud_config({"path": "/etc/mailat/agent.json", "content": _agent_config(server, attempt)})


def baking_data() -> str:
    """What a machine is told that is to become an image; it knows nothing of us."""
    return _cloud_config({"path": "/etc/mailat/bake", "content": ""})


def _cloud_config(what_for: dict[str, str]) -> str:
    installer = {
        "path": "/usr/local/sbin/mailat-install",
        "permissions": "0755",
        "content": INSTALLER.read_text(),
    }
    files = [{**what_for, "permissions": "0600"}, installer]
    config = {"write_files": files, "runcmd": [[installer["path"]]]}
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"


def _agent_config(server: Server, attempt: int | str) -> str:
    return json.dumps(
        {
            "control": settings.AGENT_URL,
            "server": str(server.pk),
            "token": enrolment_token(server, attempt),
            "order_keys": signing.raw_public_keys(),
            "agent_url": f"{settings.AGENT_URL}/agent/v1/agent.pyz",
            "agent_sha256": agent_sha256(str(settings.AGENT_BUILD_DIR)),
        },
        indent=1,
    )


@lru_cache(maxsize=2)
def agent_sha256(folder: str) -> str:
    """The checksum that was written when the agent was built."""
    return (Path(folder) / "agent.pyz.sha256").read_text().split()[0]
