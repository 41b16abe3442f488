"""What the programs of a move have in common: the old machine's agent as a column, its addresses, its names."""

from typing import Any

from django.utils import timezone

from servers import hetzner
from servers.models import Agent, Replacement, Server

COLUMNS = (
    "key_hash", "seal_key", "facts", "enrolled_at", "desired_version", "desired_body", "desired_key",
    "desired_signature", "applied_version", "applied_as_of", "report",
)  # fmt: skip
MOMENTS = ("enrolled_at", "applied_as_of")
KEPT_LABELS = "kept-for"


def living(server: Server) -> Replacement | None:
    """The one that has not ended."""
    return Replacement.objects.filter(server=server, finished_at=None).first()


def columns(agent: Agent | None) -> dict[str, Any] | None:
    """An agent's row as it can be kept in another."""
    if agent is None:
        return None
    values = {name: getattr(agent, name) for name in COLUMNS}
    return values | {name: values[name] and values[name].isoformat() for name in MOMENTS}


def bring_agent_back(server: Server, kept: dict[str, Any]) -> None:
    """The old agent counts again, and is given the time of a new one until it must be heard of."""
    Agent.objects.filter(server=server).delete()
    Agent.objects.create(server=server, **kept, reported_at=timezone.now())


def no_points(server: Server) -> str:
    """The key of the alarm that there is nothing to bring back."""
    return f"{server.subject}:no_points"


def queued(result: dict[str, Any]) -> int:
    """How many mails waited to leave when mail was closed."""
    said = result.get("queued")
    return said if type(said) is int and 0 <= said < 2**31 else 0


def set_aside(number: int, row: Replacement) -> bool:
    """Does the next thing to keep an address when its machine goes; false where all is done. Raises Gone."""
    address = hetzner.cloud().address(number)
    if address.leaves:
        hetzner.cloud().keep_address(number, leaves=False, labels=labels(row))
    elif address.machine and address.machine == row.old_machine:
        hetzner.cloud().take_address(number)
    else:
        return False
    return True


def let_leave(number: int) -> bool:
    """The address goes with the machine that has it from now on; false where it does already. Raises Gone."""
    if hetzner.cloud().address(number).leaves:
        return False
    hetzner.cloud().keep_address(number, leaves=True, labels={})
    return True


def labels(row: Replacement) -> dict[str, str]:
    """What marks an address that is kept."""
    return {**hetzner.LABELS, KEPT_LABELS: str(row.server_id)}


def old_names() -> set[str]:
    """The names of the old machines that are kept now."""
    rows = Replacement.objects.filter(finished_at=None).exclude(old_machine=None)
    return {row.old_name for row in rows}


def kept_addresses() -> set[int]:
    """The ids of the addresses that are kept now."""
    rows = Replacement.objects.filter(finished_at=None).values_list("addresses", flat=True)
    return {number for addresses in rows for number in addresses.values()}


def turn_back(server: Server, why: str) -> bool:
    """From now on it goes back; false where the old machine is gone or being deleted, or it goes back already."""
    open_ = Replacement.objects.filter(server=server, finished_at=None, state=Replacement.State.UNDER_WAY)
    turned = open_.exclude(old_machine=None).update(state=Replacement.State.GOING_BACK, why=why[:300])
    if turned:
        Server.objects.filter(pk=server.pk, rebuilding_since=None).update(rebuilding_since=timezone.now())
    return bool(turned)
