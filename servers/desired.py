"""What a server should be, written as one signed text that its agent obeys."""

import json
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from backups import actions as backups
from domains.wanted import mail
from servers import replacements
from servers.models import Agent, Server, Suspension
from servers.plans import PLANS, Plan
from vault import signing

POLL_RESTING = 50  # seconds; what is wanted, carried out as well, is in force within a minute
POLL_WATCHED = 2  # while somebody looks at its page, so that a change is in force within five
POLL_BUSY = 1  # while something is being set up, which takes a minute
# The units whose state every report tells.
WATCHED_SERVICES = (
    "mailat-agent.service",
    "mailat-policy.service",
    "postfix.service",
    "dovecot.service",
    "rspamd.service",
    "redis-server.service",
    "postsrsd.service",
    "nginx.service",
    "php8.4-fpm.service",
    "fail2ban.service",
    "nftables.service",
    "systemd-journald.service",
    "cron.service",
)
CANARY_EVERY = settings.CANARY_EVERY  # seconds


def host_name(server: Server) -> str:
    return f"{server.name}.{settings.SERVER_DOMAIN}"


def wanted(server: Server) -> dict[str, object]:
    """What the server should be now, without version and date."""
    backup = backups.wanted(server.pk)
    if backup and server.rebuilding_since and replacements.living(server):
        backup["hold"] = True  # else a machine that has nothing yet would make that its newest restore point
    return {
        **({"backup": backup} if backup else {}),
        "server": str(server.pk),
        "hostname": host_name(server),
        "services": list(WATCHED_SERVICES),
        "poll_max": POLL_RESTING,
        "mail": {
            **mail(server.pk),
            **_way_out(server),
            "acme": {"directory": settings.ACME_DIRECTORY_URL, "contact": ""},
            "canary_every": CANARY_EVERY,
            "reboot": {
                "days": server.reboot_days,
                "hour": server.reboot_hour,
                "hours": server.reboot_hours,
            },
        },
    }


def _way_out(server: Server) -> dict[str, None]:
    """While sending is suspended there is none: what is to leave waits in the queue, and nothing is bounced for days."""
    suspended = Suspension.objects.filter(server=server, ended_at=None).exists()
    return {"relay": None} if suspended else {}


def backups_plan(server: Server) -> Plan:
    """The one that is paid for, also while the machine is still that of another; billing's row is read, not its code."""
    paid = getattr(getattr(server, "subscription", None), "plan", "")
    return PLANS.get(paid) or PLANS[server.plan]


def ensure_backups(server: Server) -> None:
    """The server's backups are kept as its plan says; for workers, before they look at what is wanted."""
    plan = backups_plan(server)
    backups.ensure_repository(
        account=server.account_id, home=server.pk, keep=plan.backups_kept, room=plan.disk_gb * 10**9, by="program:Keep"
    )  # fmt: skip


def is_current(agent: Agent) -> bool:
    """Whether what was last ordered is still what is wanted."""
    if not agent.desired_body:
        return False
    last = json.loads(agent.desired_body)
    now = {"backup": None, **wanted(agent.server)}
    return {name: last.get(name) for name in now} == now


def order(agent: Agent) -> int:
    """Signs and stores the next version; returns its number. Only a worker can."""
    ensure_backups(agent.server)
    version, now = agent.desired_version + 1, timezone.now()  # the time before the rows are read
    body = json.dumps(
        {**wanted(agent.server), "version": version, "issued": now.isoformat()},
        sort_keys=True,
        separators=(",", ":"),
    )
    signature = signing.sign("desired", body)
    agent.desired_version, agent.desired_body = version, body
    agent.desired_key, agent.desired_signature = signature.key, signature.value
    agent.save(update_fields=["desired_version", "desired_body", "desired_key", "desired_signature"])
    return version


def issued(body: str) -> datetime:
    """When an order was made: what was wanted then is in it."""
    return datetime.fromisoformat(json.loads(body)["issued"])
