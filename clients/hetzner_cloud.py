"""Hetzner Cloud through its own library: plain data in and out, and every failure sorted.

Source: https://docs.hetzner.cloud/reference/cloud. The library waits and repeats by itself; here it does neither, because a
worker's step is repeated by the engine, and because a repeated POST hides whether the first one arrived.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from hcloud import APIException, Client
from hcloud.firewalls.domain import Firewall, FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.server_types.domain import ServerType
from hcloud.servers.domain import Server

from clients.errors import Gone, Refused, TryLater

TIMEOUT = (4.0, 20.0)  # seconds to connect and to read
LATER = {
    "conflict": 5, "locked": 10, "rate_limit_exceeded": 30, "timeout": 5, "bad_gateway": 5, "server_error": 15,
    "service_error": 15, "maintenance": 60, "unavailable": 30,
}  # fmt: skip
SOLD_OUT = {"resource_unavailable", "placement_error"}
T = TypeVar("T")


class SoldOut(Refused):
    """No such machine at this place now; another type or place may do."""


class NameTaken(Refused):
    """A machine of this name exists: very likely ours, from a create whose answer was lost."""


class AccountFull(Refused):
    """The project's limit of machines is reached: only Hetzner can raise it, and only a person can ask."""


@dataclass(frozen=True)
class Machine:
    """A server as Hetzner tells it; `status` is Hetzner's word."""

    id: int
    name: str
    status: str
    machine_type: str
    place: str
    ipv4: str | None
    ipv6: str | None
    labels: dict[str, str]


@dataclass(frozen=True)
class Order:
    """What to create; `user_data` is cloud-init's, at most 32 KiB."""

    name: str
    machine_type: str
    place: str
    image: str
    user_data: str
    firewall_id: int
    labels: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What Hetzner said to an order that it took on: the id and status of its action."""

    action: int
    command: str
    status: str


class HetznerCloud:
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
                image=Image(name=order.image),
                location=Location(name=order.place),
                user_data=order.user_data,
                labels=order.labels,
                firewalls=[Firewall(id=order.firewall_id)],
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
        return _answer(action)

    def name_address(self, machine_id: int, *, address: str, name: str) -> Answer:
        """Sets the reverse DNS name of one of the machine's addresses."""
        with sorted_errors():
            action = self._client.servers.change_dns_ptr(Server(id=machine_id), ip=address, dns_ptr=name)
        return _answer(action)

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


def _answer(action: Any) -> Answer:
    return Answer(action.id, str(action.command), str(action.status))


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
    )


def first_host(network: str) -> str:
    """Hetzner gives a /64; the machine's own address in it is the first."""
    return network.split("/")[0].rstrip(":") + "::1"


@contextmanager
def sorted_errors() -> Iterator[None]:
    """Turns what the library raises into our three kinds; no text of ours holds a token."""
    try:
        yield
    except APIException as error:
        raise _sorted(error) from None
    except requests.Timeout as error:
        raise TryLater("Hetzner did not answer in time", code="timeout", retry_after=5) from error
    except (requests.RequestException, ValueError) as error:
        raise TryLater(f"Hetzner could not be reached ({type(error).__name__})", retry_after=10) from None


def _sorted(error: APIException) -> Exception:
    code, says = str(error.code), str(error)
    if isinstance(error.code, int) and error.code >= 500:
        return TryLater(says, code=code, retry_after=15)
    if code in LATER:
        return TryLater(says, code=code, retry_after=LATER[code])
    for kind, codes in KINDS:
        if code in codes:
            return kind(says, code=code)
    return Refused(says, code=code)


KINDS: list[tuple[Callable[..., Exception], set[str]]] = [
    (Gone, {"not_found"}),
    (SoldOut, SOLD_OUT),
    (NameTaken, {"uniqueness_error"}),
    (AccountFull, {"resource_limit_exceeded"}),
]
