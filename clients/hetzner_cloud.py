"""Hetzner Cloud through its own library: plain data in and out, and every failure sorted.

Source: https://docs.hetzner.cloud/reference/cloud. The library waits and repeats by itself; here it does neither, because a
worker's step is repeated by the engine, and because a repeated POST hides whether the first one arrived.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hcloud import Client
from hcloud.firewalls.domain import Firewall, FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.primary_ips.domain import PrimaryIP
from hcloud.server_types.domain import ServerType
from hcloud.servers.domain import Server, ServerCreatePublicNetwork

from clients.hetzner_cloud_addresses import Addresses, Answer, answer_of
from clients.hetzner_cloud_errors import AccountFull, NameTaken, SoldOut, sorted_errors

__all__ = ["AccountFull", "Answer", "HetznerCloud", "Machine", "NameTaken", "Order", "Snapshot", "SoldOut"]

TIMEOUT = (4.0, 20.0)  # seconds to connect and to read


@dataclass(frozen=True)
class Machine:
    """A server as Hetzner tells it; `status` is Hetzner's word, `image` names what it began with, by name or number.

    `disk_gb` is that of the disk which it has, and not of its type.
    """

    id: int
    name: str
    status: str
    machine_type: str
    place: str
    ipv4: str | None
    ipv6: str | None
    labels: dict[str, str]
    image: str = ""
    disk_gb: int = 0


@dataclass(frozen=True)
class Order:
    """What to create; `user_data` is cloud-init's, at most 32 KiB; `image` a name, or the number of a snapshot.

    `ipv4` and `ipv6` are ids of primary addresses that it is to have; without them it gets new ones that go with it.
    """

    name: str
    machine_type: str
    place: str
    image: str | int
    user_data: str
    firewall_id: int
    labels: dict[str, str]
    ipv4: int | None = None
    ipv6: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A copy of a disk; `status` is creating, available or unavailable, `disk_gb` what a machine's disk must have at least."""

    id: int
    status: str
    description: str
    labels: dict[str, str]
    made_at: datetime
    disk_gb: int


class HetznerCloud(Addresses):
    """One project at Hetzner Cloud. Raises TryLater, Refused (SoldOut, NameTaken, AccountFull) or Gone."""

    def __init__(self, *, token: str, url: str, version: str = "1") -> None:
        self._client = Client(
            token=token,
            api_endpoint=url,
            application_name="mailat",
            application_version=version,
            timeout=TIMEOUT,
        )
        for inner in (self._client._client, self._client._client_hetzner):
            inner._retry_max_retries = 0

    def create(self, order: Order) -> Machine:
        """Orders a machine; it is not running yet when this returns."""
        with sorted_errors():
            answer = self._client.servers.create(
                name=order.name,
                server_type=ServerType(name=order.machine_type),
                image=_image(order.image),
                location=Location(name=order.place),
                user_data=order.user_data,
                labels=order.labels,
                firewalls=[Firewall(id=order.firewall_id)],
                public_net=_public_net(order),
            )
        return _machine(answer.server)

    def find(self, name: str) -> Machine | None:
        """The machine of this name, or None."""
        with sorted_errors():
            found = self._client.servers.get_by_name(name)
        return _machine(found) if found else None

    def get(self, machine_id: int) -> Machine:
        """The machine; raises Gone if there is none of this id."""
        with sorted_errors():
            return _machine(self._client.servers.get_by_id(machine_id))

    def machines(self, selector: str = "") -> list[Machine]:
        """All machines with these labels, fifty a call."""
        with sorted_errors():
            return [_machine(one) for one in self._client.servers.get_all(label_selector=selector or None)]

    def delete(self, machine_id: int) -> Answer:
        """Deletes the machine and its disk; raises Gone if that has happened before."""
        with sorted_errors():
            action = self._client.servers.delete(Server(id=machine_id))
        return answer_of(action)

    def rename(self, machine_id: int, name: str) -> None:
        """Another name for the machine; its labels stay. Raises Gone, NameTaken."""
        with sorted_errors():
            self._client.servers.update(Server(id=machine_id), name=name)

    def shut_down(self, machine_id: int) -> Answer:
        """Presses the machine's button; when it is off is its own business. Raises Gone."""
        with sorted_errors():
            action = self._client.servers.shutdown(Server(id=machine_id))
        return answer_of(action)

    def power_off(self, machine_id: int) -> Answer:
        """Cuts the machine's power and keeps its disk. Raises Gone."""
        with sorted_errors():
            action = self._client.servers.power_off(Server(id=machine_id))
        return answer_of(action)

    def power_on(self, machine_id: int) -> Answer:
        """Starts a machine that is off; one that runs goes on. Raises Gone."""
        with sorted_errors():
            action = self._client.servers.power_on(Server(id=machine_id))
        return answer_of(action)

    def change_type(self, machine_id: int, machine_type: str) -> Answer:
        """Makes a machine that is off one of another type, with all of that type's disk, and starts it; never smaller again.

        Raises Gone, SoldOut, Refused where the type does not fit, TryLater where it is not off.
        """
        with sorted_errors():
            action = self._client.servers.change_type(
                Server(id=machine_id), ServerType(name=machine_type), upgrade_disk=True
            )
        return answer_of(action)

    def answer(self, action: int) -> Answer:
        """What has become of an order: its status is running, success or error. Raises Gone."""
        with sorted_errors():
            return answer_of(self._client.actions.get_by_id(action))

    def name_address(self, machine_id: int, *, address: str, name: str) -> Answer:
        """Sets the reverse DNS name of one of the machine's addresses."""
        with sorted_errors():
            action = self._client.servers.change_dns_ptr(Server(id=machine_id), ip=address, dns_ptr=name)
        return answer_of(action)

    def snapshot(self, machine_id: int, *, description: str, labels: dict[str, str]) -> Snapshot:
        """Begins to copy the machine's disk; only of a machine that is off is the copy whole."""
        servers: Any = self._client.servers  # the library's types do not know that an image has an answer
        with sorted_errors():
            answer = servers.create_image(Server(id=machine_id), description, "snapshot", labels)
        return _snapshot(answer.image)

    def snapshots(self, selector: str) -> list[Snapshot]:
        """All of our snapshots with these labels, whatever their status.

        Version 2.27 of the library sends the number of a page's items where the status should stand, so it is not asked for one.
        """
        with sorted_errors():
            found = self._client.images.get_all(type=["snapshot"], label_selector=selector)
        return [_snapshot(one) for one in found]

    def image(self, image_id: int) -> Snapshot:
        """The snapshot; raises Gone if there is none of this id, as when it could not be made."""
        with sorted_errors():
            return _snapshot(self._client.images.get_by_id(image_id))

    def delete_image(self, image_id: int) -> None:
        """Deletes the snapshot; machines that began with it go on. Raises Gone if that has happened before."""
        with sorted_errors():
            self._client.images.delete(Image(id=image_id))

    def ensure_firewall(self, name: str, *, tcp_ports: tuple[str, ...], labels: dict[str, str]) -> int:
        """The id of the firewall of this name, made if need be: these TCP ports and ping come in, all else is dropped."""
        with sorted_errors():
            found: Any = self._client.firewalls.get_by_name(name)
            return int(found.id) if found else self._make_firewall(name, tcp_ports, labels)

    def _make_firewall(self, name: str, tcp_ports: tuple[str, ...], labels: dict[str, str]) -> int:
        world = ["0.0.0.0/0", "::/0"]
        rules = [
            FirewallRule(direction="in", protocol="tcp", port=port, source_ips=world) for port in tcp_ports
        ]
        rules.append(FirewallRule(direction="in", protocol="icmp", source_ips=world))
        firewalls: Any = (
            self._client.firewalls
        )  # the library's types say that labels are text; they are a dictionary
        return int(firewalls.create(name=name, rules=rules, labels=labels).firewall.id)


def _image(wanted: str | int) -> Image:
    return Image(id=wanted) if isinstance(wanted, int) else Image(name=wanted)


def _public_net(order: Order) -> ServerCreatePublicNetwork | None:
    if order.ipv4 is None and order.ipv6 is None:
        return None
    ipv4, ipv6 = (PrimaryIP(id=one) if one else None for one in (order.ipv4, order.ipv6))
    return ServerCreatePublicNetwork(ipv4=ipv4, ipv6=ipv6, enable_ipv4=True, enable_ipv6=True)


def _snapshot(image: Any) -> Snapshot:
    return Snapshot(
        id=image.id,
        status=str(image.status),
        description=str(image.description or ""),
        labels=dict(image.labels or {}),
        made_at=image.created,
        disk_gb=int(image.disk_size),
    )


def _machine(server: Any) -> Machine:
    net = server.public_net
    return Machine(
        id=server.id,
        name=server.name,
        status=server.status,
        machine_type=server.server_type.name,
        place=server.location.name,
        ipv4=net.ipv4.ip if net and net.ipv4 else None,
        ipv6=first_host(net.ipv6.ip) if net and net.ipv6 else None,
        labels=dict(server.labels or {}),
        image=str(server.image.name or server.image.id) if server.image else "",
        disk_gb=int(server.primary_disk_size or 0),
    )


def first_host(network: str) -> str:
    """Hetzner gives a /64; the machine's own address in it is the first."""
    return network.split("/")[0].rstrip(":") + "::1"
