"""What the pages are looked at with: servers in every state, what is paid for them, and what happened."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import Account
from audit import receipts
from audit.models import Receipt
from billing.models import Subscription
from dashboard import when
from engine.models import Run, StepTaken
from servers.models import Agent, Destruction, Metric, Server
from vault import signing

REPORT = {
    "cpu": 12.4,
    "mem_used": 1_610_000_000,
    "mem_total": 4_020_000_000,
    "swap_used": 0,
    "disk_used": 9_400_000_000,
    "disk_total": 40_600_000_000,
    "load1": 0.21,
    "net_rx": 5_120.0,
    "net_tx": 88_300.0,
    "uptime": 1_036_800,
    "services": {
        "mailat-agent.service": "active",
        "systemd-journald.service": "active",
        "cron.service": "active",
    },
}


def server(account: Account, name: str = "post", **fields: Any) -> Server:
    """A server as it stands just after it was wanted."""
    return Server.objects.create(account=account, name=name, **{"plan": "basic", "place": "fsn1", **fields})


def running(account: Account, name: str = "post", **report: Any) -> Server:
    """A server that was handed over twelve days ago and reports."""
    now = timezone.now()
    one = server(
        account,
        name,
        wanted_at=now - timedelta(days=12, minutes=4),
        ready_at=now - timedelta(days=12),
        machine_type="cx23",
        ipv4="192.0.2.25",
        ipv6="2001:db8:4::25",
    )
    Agent.objects.create(
        server=one,
        key_hash="0" * 64,
        seal_key="",
        facts={"os": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.48-amd64"},
        reported_at=now - timedelta(seconds=20),
        report={**REPORT, **report},
    )
    return one


def silent(account: Account, name: str = "quiet", health: str = "lost") -> Server:
    one = running(account, name)
    since = timezone.now() - timedelta(minutes=47)
    Agent.objects.filter(server=one).update(health=health, reported_at=since)
    return one


def being_made(account: Account, name: str = "fresh", step: str = "wait_agent", **run: Any) -> Server:
    """A server whose program is at this step; the steps before took a few seconds each, as they usually do."""
    now = timezone.now()
    one = server(account, name, machine_type="cx23", ipv4="192.0.2.80", wanted_at=now - timedelta(seconds=50))
    steps = [
        "make_firewall",
        "order_machine",
        "name_ipv4",
        "name_ipv6",
        "wait_agent",
        "set_up",
        "wait_set_up",
    ]
    steps += ["prove", "announce"]
    done = steps[: steps.index(step)]
    begun = Run.objects.create(
        program="Provision", subject=one.subject, step=step, step_since=now - timedelta(seconds=31), **run
    )
    _usual_times(steps)
    _taken(begun, done)
    return one


def _usual_times(steps: list[str]) -> None:
    """An older run that went through, from which the usual times are known."""
    old = Run.objects.create(
        program="Provision", subject="server:old", step="announce", finished_at=timezone.now(), due_at=None
    )
    _taken(old, steps)


def _taken(run: Run, steps: list[str]) -> None:
    at = timezone.now() - timedelta(seconds=50)
    for number, step in enumerate(steps):
        took = timedelta(seconds=[1, 8, 2, 1, 38, 1, 12, 4, 1][number])
        StepTaken.objects.create(run=run, program="Provision", step=step, began_at=at, ended_at=at + took)
        at += took


def ending(account: Account, name: str = "leaving", days: float = 5.2) -> Server:
    one = running(account, name)
    now = timezone.now()
    Destruction.objects.create(
        server=one,
        by="gumroad",
        reason="cancelled",
        said_at=now - timedelta(days=7 - days),
        due_at=now + timedelta(days=days),
    )
    return one


def being_deleted(account: Account, name: str = "leaving") -> Server:
    one = ending(account, name, days=0)
    now = timezone.now()
    Destruction.objects.filter(server=one).update(begun_at=now - timedelta(seconds=9))
    Run.objects.create(
        program="Destroy", subject=one.subject, step="check_gone", step_since=now - timedelta(seconds=5)
    )
    return one


def gone(account: Account, name: str = "former") -> Server:
    now = timezone.now()
    one = server(account, name, wanted_at=now - timedelta(days=90), ready_at=now - timedelta(days=90))
    Server.objects.filter(pk=one.pk).update(gone_at=now - timedelta(days=2))
    Destruction.objects.create(server=one, by="gumroad", reason="cancelled", due_at=now, begun_at=now)
    receipt(account, one)
    one.refresh_from_db()
    return one


def receipt(account: Account, of: Server) -> Receipt:
    at = (timezone.now() - timedelta(days=2)).isoformat(timespec="seconds")
    removed = [
        {
            "what": "the machine and its disk",
            "provider": "Hetzner Cloud",
            "at": at,
            "machine": 118812345,
            "answer": "success",
            "action": 99120045,
            "command": "delete_server",
        },
        {
            "what": "looked for it once more",
            "provider": "Hetzner Cloud",
            "at": at,
            "answer": "no machine of this name",
        },
        {
            "what": "the agent's keys and our measurements of it",
            "provider": "Mailat",
            "at": at,
            "rows": 12873,
            "answer": "deleted",
        },
    ]
    facts = {
        "server": {
            "id": str(of.pk),
            "name": f"{of.name}.mailat.test",
            "place": of.place,
            "machine_type": "cx23",
            "addresses": ["192.0.2.77", "2001:db8:4::77"],
            "wanted_at": at,
        },
        "reason": "cancelled",
        "said_at": at,
        "said_by": "gumroad",
        "due_at": at,
        "begun_at": at,
        "removed": removed,
    }
    return receipts.issue(account=account.pk, subject=of.subject, facts=facts, sign=signing.sign)


def subscription(account: Account, of: Server | None = None, **fields: Any) -> Subscription:
    number = Subscription.objects.count()
    return Subscription.objects.create(
        **{
            "gumroad_id": f"subscription-{number}==",
            "account": account,
            "server": of,
            "email": "alice@example.test",
            "plan": of.plan if of else "basic",
            "recurrence": "monthly",
            "began_at": timezone.now() - timedelta(days=12),
            **fields,
        }
    )


def measured(of: Server, minutes: int = 60, leave_out: range = range(0)) -> None:
    """A report each minute up to now, but for those minutes ago that are left out."""
    now = timezone.now()
    Metric.objects.bulk_create(
        Metric(server=of, at=now - timedelta(minutes=ago), **_figures(ago))
        for ago in range(minutes)
        if ago not in leave_out
    )


def _figures(ago: int) -> dict[str, float]:
    wave = (ago * 7919 % 97) / 97
    return {
        "cpu": 8 + 30 * wave * wave,
        "memory": 38 + 4 * wave,
        "disk": 23.2,
        "load": 0.1 + wave / 2,
        "received": 3000 + 40_000 * wave**4,
        "sent": 5000 + 90_000 * wave**3,
    }


def told(at: datetime) -> str:
    """A point in time as pages say it to a reader in Berlin: what was today may be yesterday by the next line."""
    with timezone.override(ZoneInfo("Europe/Berlin")):
        return when.moment(at)
