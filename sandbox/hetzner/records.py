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
    snapshots: list[Json]
    addresses: dict[tuple[int, str], int]  # ids of primary addresses, by server and kind


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
        "public_net": _public_net(row, around),
        "private_net": [],
        "server_type": catalog.type_json(kind, around.in_stock),
        "location": catalog.location(row["location"]),
        "image": _image(row["image"], around.snapshots),
        "iso": None,
        "placement_group": None,
        "rescue_enabled": False,
        "backup_window": None,
        "protection": {"delete": False, "rebuild": False},
        "volumes": [],
        "load_balancers": [],
        "primary_disk_size": catalog.disk_of(row),
        "included_traffic": 20 * catalog.TERABYTE,
        "ingoing_traffic": None,
        "outgoing_traffic": None,
    }


def _image(wanted: int, snapshots: list[Json]) -> Json | None:
    """What the server began with, or nothing where that was a snapshot which is deleted."""
    return next((one for one in catalog.IMAGES + snapshots if one["id"] == wanted), None)


def image_json(row: sqlite3.Row) -> Json:
    """A snapshot; `image_size` in GB, known once it is made."""
    return {
        "id": row["id"],
        "type": "snapshot",
        "status": row["status"],
        "name": None,
        "description": row["description"],
        "image_size": row["image_size"],
        "disk_size": row["disk_size"],
        "created": row["created"],
        "created_from": {"id": row["server"], "name": row["server_name"]},
        "bound_to": None,
        "os_flavor": "debian",
        "os_version": "13",
        "rapid_deploy": False,
        "protection": {"delete": False},
        "deprecated": None,
        "deleted": None,
        "labels": json.loads(row["labels"]),
        "architecture": row["architecture"],
    }


def _public_net(row: sqlite3.Row, around: Surroundings) -> Json:
    applied = [{"id": wall["id"], "status": "applied"} for wall in around.firewalls if protects(wall, row)]
    return {
        "ipv4": _net(row, "ipv4", around, dns_ptr(row, row["ipv4"])),
        "ipv6": _net(row, "ipv6", around, _ptrs_of_network(row)),
        "floating_ips": [],
        "firewalls": applied,
    }


def _net(row: sqlite3.Row, kind: str, around: Surroundings, pointers: str | list[Json]) -> Json | None:
    """A server need not have an address of each kind."""
    if not row[kind]:
        return None
    return {
        "id": around.addresses[row["id"], kind],
        "ip": row[kind],
        "blocked": False,
        "dns_ptr": pointers,
    }


def _ptrs_of_network(row: sqlite3.Row) -> list[Json]:
    pointers = json.loads(row["dns_ptr"])
    return [{"ip": ip, "dns_ptr": name} for ip, name in pointers.items() if ":" in ip]


def dns_ptr(row: sqlite3.Row, ip: str) -> str:
    """The name that the address points to: the one that was set, or the vendor's."""
    return str(json.loads(row["dns_ptr"]).get(ip, default_name(ip)))


def default_name(ip: str) -> str:
    return f"static.{'.'.join(reversed(ip.split('.')))}.clients.your-server.de"


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


def primary_ip_json(row: sqlite3.Row, pointers: dict[str, str]) -> Json:
    """A primary address; `pointers` are its names by address. Without a server it says so since August 2026."""
    return {
        "id": row["id"],
        "name": row["name"],
        "type": row["kind"],
        "ip": row["ip"],
        "labels": json.loads(row["labels"]),
        "created": row["created"],
        "blocked": False,
        "auto_delete": bool(row["auto_delete"]),
        "protection": {"delete": False},
        "location": catalog.location(row["location"]),
        "assignee_id": row["server"],
        "assignee_type": "server" if row["server"] else "unassigned",
        "dns_ptr": _pointers(row, pointers),
    }


def _pointers(row: sqlite3.Row, pointers: dict[str, str]) -> list[Json]:
    if row["kind"] == "ipv4":
        return [{"ip": row["ip"], "dns_ptr": pointers.get(row["ip"], default_name(row["ip"]))}]
    return [{"ip": ip, "dns_ptr": name} for ip, name in pointers.items()]


def owns(row: sqlite3.Row, ip: str) -> bool:
    """Whether the address is the server's IPv4 one or lies in its IPv6 network."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    network = row[f"ipv{address.version}"]
    return bool(network) and address in ipaddress.ip_network(network)
