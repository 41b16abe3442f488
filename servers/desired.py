"""What a server should be, written as one signed text that its agent obeys."""

import json

from django.conf import settings
from django.utils import timezone

from servers.models import Agent, Server
from vault import signing

POLL_RESTING = 60  # seconds between reports
POLL_WATCHED = 5  # while somebody looks at its page
POLL_BUSY = 1  # while something is being set up, which takes a minute
# The units whose state every report tells.
WATCHED_SERVICES = ("mailat-agent.service", "systemd-journald.service", "cron.service")


def host_name(server: Server) -> str:
    return f"{server.name}.{settings.SERVER_DOMAIN}"


def wanted(server: Server) -> dict[str, object]:
    """What the server should be now, without version and date."""
    return {
        "server": str(server.pk),
        "hostname": host_name(server),
        "services": list(WATCHED_SERVICES),
        "poll_max": POLL_RESTING,
    }


def is_current(agent: Agent) -> bool:
    """Whether what was last ordered is still what is wanted."""
    if not agent.desired_body:
        return False
    last = json.loads(agent.desired_body)
    return {name: last.get(name) for name in wanted(agent.server)} == wanted(agent.server)


def order(agent: Agent) -> int:
    """Signs and stores the next version; returns its number. Only a worker can."""
    version = agent.desired_version + 1
    body = json.dumps(
        {**wanted(agent.server), "version": version, "issued": timezone.now().isoformat(timespec="seconds")},
        sort_keys=True,
        separators=(",", ":"),
    )
    signature = signing.sign("desired", body)
    agent.desired_version, agent.desired_body = version, body
    agent.desired_key, agent.desired_signature = signature.key, signature.value
    agent.save(update_fields=["desired_version", "desired_body", "desired_key", "desired_signature"])
    return version
