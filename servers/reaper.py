"""Compares Hetzner's inventory with ours and reports what either side does not know. It deletes nothing."""

from datetime import timedelta

from django.utils import timezone

from clients.hetzner_cloud import Machine
from engine.alarms import close_alarm, open_alarm
from engine.models import Alarm
from servers import hetzner, images, replacements
from servers.models import Server

SETTLED = timedelta(minutes=10)  # what is younger may still be on its way into the other book


def reap() -> None:
    """One call for fifty machines; alarms open for each difference and close when it is gone."""
    machines = hetzner.cloud().machines()
    alarms = {**_unknown_machines(machines), **_missing_machines(machines), **_unknown_addresses()}
    for key, (subject, says, advice) in alarms.items():
        open_alarm(key=key, subject=subject, says=says, advice=advice)
    for key in Alarm.objects.filter(key__startswith="reap:", closed_at=None).values_list("key", flat=True):
        if key not in alarms:
            close_alarm(key)


def _unknown_machines(machines: list[Machine]) -> dict[str, tuple[str, str, str]]:
    known = set(Server.objects.filter(gone_at=None).values_list("id", flat=True))
    names = {f"mailat-{server}" for server in known} | images.machines() | replacements.old_names()
    return {
        f"reap:machine:{machine.id}": (
            f"machine:{machine.id}",
            f"Hetzner has a machine “{machine.name}” ({machine.id}) that no server of ours stands for.",
            _advice(machine),
        )
        for machine in machines
        if machine.name not in names
    }


def _unknown_addresses() -> dict[str, tuple[str, str, str]]:
    """Addresses that were kept for a move which is over; they cost money, and nobody has them."""
    kept = hetzner.cloud().addresses(f"{hetzner.OURS},{replacements.KEPT_LABELS}")
    known = replacements.kept_addresses()
    return {
        f"reap:address:{one.id}": (
            f"address:{one.id}",
            f"Hetzner keeps the address {one.ip} ({one.id}) for a server that does not move.",
            "Delete it in Hetzner's panel if no machine has it; it costs money until then.",
        )
        for one in kept
        if one.id not in known
    }


def _advice(machine: Machine) -> str:
    if machine.labels.get("managed-by") == hetzner.LABELS["managed-by"]:
        return "We made it. If nobody needs it, delete it in Hetzner's panel; it costs money until then."
    return "We did not make it. Find out who did; nothing of ours will touch it."


def _missing_machines(machines: list[Machine]) -> dict[str, tuple[str, str, str]]:
    present = {machine.id for machine in machines}
    since = timezone.now() - SETTLED
    expected = Server.objects.filter(gone_at=None, machine_id__isnull=False, ready_at__lt=since)
    expected = expected.filter(rebuilding_since=None)
    return {
        f"reap:{server.subject}": (
            server.subject,
            f"{server.name} should have machine {server.machine_id}, which Hetzner does not know.",
            "It was deleted elsewhere. Find out by whom, and tell the customer.",
        )
        for server in expected.exclude(machine_id__in=present).exclude(destruction__begun_at__isnull=False)
    }
