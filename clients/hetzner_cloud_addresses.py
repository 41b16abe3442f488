"""Primary addresses at Hetzner Cloud: kept when their machine goes, and given to another in the same place.

Source: https://docs.hetzner.cloud/reference/cloud#primary-ips. A machine must be off to give one or to take one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from hcloud import Client
from hcloud.primary_ips.domain import PrimaryIP

from clients.hetzner_cloud_errors import sorted_errors


@dataclass(frozen=True)
class Answer:
    """What Hetzner said to an order that it took on: the id and status of its action."""

    action: int
    command: str
    status: str


@dataclass(frozen=True)
class Address:
    """`kind` is ipv4 or ipv6, `ip` an address or a /64; `machine` has it now; `leaves` with the machine that has it."""

    id: int
    kind: str
    ip: str
    machine: int | None
    leaves: bool
    labels: dict[str, str]


class Addresses:
    """The part of a project at Hetzner that is about addresses. Raises TryLater, Refused or Gone."""

    _client: Client

    def addresses_of(self, machine_id: int) -> list[Address]:
        """Those that the machine has; raises Gone if there is no such machine."""
        with sorted_errors():
            net: Any = self._client.servers.get_by_id(machine_id).public_net
        tied: Iterable[Any] = (net.primary_ipv4, net.primary_ipv6) if net else ()
        return [self.address(one.id) for one in tied if one is not None]

    def address(self, address_id: int) -> Address:
        """Raises Gone if there is none of this id."""
        with sorted_errors():
            return _address(self._client.primary_ips.get_by_id(address_id))

    def addresses(self, selector: str) -> list[Address]:
        """All with these labels, fifty a call."""
        with sorted_errors():
            return [_address(one) for one in self._client.primary_ips.get_all(label_selector=selector)]

    def keep_address(self, address_id: int, *, leaves: bool, labels: dict[str, str]) -> None:
        """Whether it goes with its machine, and what marks it from now on. Raises Gone."""
        with sorted_errors():
            self._client.primary_ips.update(PrimaryIP(id=address_id), auto_delete=leaves, labels=labels)

    def take_address(self, address_id: int) -> Answer:
        """Takes it from the machine that has it, which must be off."""
        with sorted_errors():
            return answer_of(self._client.primary_ips.unassign(PrimaryIP(id=address_id)))

    def give_address(self, address_id: int, machine_id: int) -> Answer:
        """Gives it to a machine, which must be off and have none of its kind."""
        with sorted_errors():
            return answer_of(self._client.primary_ips.assign(PrimaryIP(id=address_id), machine_id, "server"))

    def delete_address(self, address_id: int) -> None:
        """Gives it back to Hetzner; no machine may have it. Raises Gone."""
        with sorted_errors():
            self._client.primary_ips.delete(PrimaryIP(id=address_id))


def answer_of(action: Any) -> Answer:
    return Answer(action.id, str(action.command), str(action.status))


def _address(one: Any) -> Address:
    holder = cast(int | None, one.assignee_id)
    return Address(one.id, str(one.type), str(one.ip), holder, bool(one.auto_delete), dict(one.labels or {}))
