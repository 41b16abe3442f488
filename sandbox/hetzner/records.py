"""How the vendor shows what is stored: rows in, the API's JSON out."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.hetzner import catalog, labels

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What a server's answer shows that is not in its own row."""

    in_stock: Callable[[str, str], bool]
    busy: frozenset[int]
    firewalls: list[sqlite3.Row]


def action_json(row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "command": row["command"],
        "status": row["status"],
        "progress": 0 if row["status"] == "running" else 100,
        "started": row["started"],
        "finished": row["finished"],
        "resources": json.loads(row["resources"]),
        "error": json.loads(row["error"]) if row["error"] else None,
    }


def server_json(row: sqlite3.Row, around: Surroundings) -> Json:
    """A server as of late 2026: with a location, without a datacenter."""
    kind = catalog.machine_type(row["type"])
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "created": row["created"],
        "labels": json.loads(row["labels"]),
        "locked": row["id"] in around.busy,
        "public_net": _public_net(row, around.firewalls),
        "private_net": [],
        "server_type": catalog.type_json(kind, around.in_stock),
        "location": catalog.location(row["location"]),
        "image": catalog.by_id(catalog.IMAGES, row["image"], "image"),
        "iso": None,
        "placement_group": None,
        "rescue_enabled": False,
        "backup_window": None,
        "protection": {"delete": False, "rebuild": False},
        "volumes": [],
        "load_balancers": [],
        "primary_disk_size": kind.disk,
        "included_traffic": 20 * catalog.TERABYTE,
        "ingoing_traffic": None,
        "outgoing_traffic": None,
    }


def _public_net(row: sqlite3.Row, firewalls: list[sqlite3.Row]) -> Json:
    applied = [{"id": wall["id"], "status": "applied"} for wall in firewalls if protects(wall, row)]
    return {
        "ipv4": {
            "id": ip_id(row, "ipv4"),
            "ip": row["ipv4"],
            "blocked": False,
            "dns_ptr": dns_ptr(row, row["ipv4"]),
        },
        "ipv6": {
            "id": ip_id(row, "ipv6"),
            "ip": row["ipv6"],
            "blocked": False,
            "dns_ptr": _ptrs_of_network(row),
        },
        "floating_ips": [],
        "firewalls": applied,
    }


def _ptrs_of_network(row: sqlite3.Row) -> list[Json]:
    pointers = json.loads(row["dns_ptr"])
    return [{"ip": ip, "dns_ptr": name} for ip, name in pointers.items() if ":" in ip]


def dns_ptr(row: sqlite3.Row, ip: str) -> str:
    """The name that the address points to: the one that was set, or the vendor's."""
    backwards = ".".join(reversed(ip.split(".")))
    return json.loads(row["dns_ptr"]).get(ip, f"static.{backwards}.clients.your-server.de")


def ip_id(row: sqlite3.Row, version: str) -> int:
    """Addresses come and go with their server, so their ids follow from its id."""
    return row["id"] * 2 + (version == "ipv6")


def protects(firewall: sqlite3.Row, server: sqlite3.Row) -> bool:
    """Whether the firewall stands before the server, named by it or by a selector of labels."""
    if firewall["id"] in json.loads(server["firewalls"]):
        return True
    own = json.loads(server["labels"])
    return any(labels.selector(text)(own) for text in json.loads(firewall["selectors"]))


def firewall_json(row: sqlite3.Row, servers: Iterable[sqlite3.Row]) -> Json:
    servers = list(servers)
    direct = [_server_resource(one) for one in servers if row["id"] in json.loads(one["firewalls"])]
    return {
        "id": row["id"],
        "name": row["name"],
        "labels": json.loads(row["labels"]),
        "created": row["created"],
        "rules": json.loads(row["rules"]),
        "applied_to": direct + [_by_selector(text, servers) for text in json.loads(row["selectors"])],
    }


def _server_resource(row: sqlite3.Row) -> Json:
    return {"type": "server", "server": {"id": row["id"]}}


def _by_selector(text: str, servers: list[sqlite3.Row]) -> Json:
    fits = labels.selector(text)
    found = [_server_resource(one) for one in servers if fits(json.loads(one["labels"]))]
    return {"type": "label_selector", "label_selector": {"selector": text}, "applied_to_resources": found}


def primary_ip_json(row: sqlite3.Row, version: str) -> Json:
    """An address of a server, as the list of addresses shows it."""
    address = row[version]
    return {
        "id": ip_id(row, version),
        "name": f"primary_ip-{ip_id(row, version)}",
        "type": version,
        "ip": address,
        "labels": {},
        "created": row["created"],
        "blocked": False,
        "auto_delete": True,
        "protection": {"delete": False},
        "location": catalog.location(row["location"]),
        "assignee_id": row["id"],
        "assignee_type": "server",
        "dns_ptr": _ptrs_of_network(row)
        if version == "ipv6"
        else [{"ip": address, "dns_ptr": dns_ptr(row, address)}],
    }


def owns(row: sqlite3.Row, ip: str) -> bool:
    """Whether the address is the server's IPv4 one or lies in its IPv6 network."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return address in ipaddress.ip_network(row[f"ipv{address.version}"])
