"""Reads what is asked for when a server is ordered. Source: docs.hetzner.cloud/reference/cloud, "Create a Server"."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import flask

from sandbox.hetzner import catalog, labels
from sandbox.hetzner.errors import ApiError, invalid

MOST_USER_DATA = 32 * 1024  # bytes
HOSTNAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.I
)
UNSUPPORTED = ("volumes", "networks", "placement_group", "automount")
KNOWN = {
    *("name", "server_type", "image", "location", "labels", "user_data", "firewalls"),
    *("ssh_keys", "start_after_create", "public_net", *UNSUPPORTED),
}


@dataclasses.dataclass(frozen=True)
class Order:
    """A server as ordered, every value checked."""

    name: str
    kind: catalog.MachineType
    image: dict[str, Any]
    location: str
    labels: labels.Labels
    user_data: str
    firewalls: list[int]
    addresses: dict[str, int]
    with_password: bool
    start: bool


def body() -> dict[str, Any]:
    """The request's JSON object; raises ApiError."""
    content = flask.request.get_json(force=True, silent=True)
    if not isinstance(content, dict):
        raise ApiError("json_error", "invalid JSON in request body")
    return content


def read(wish: dict[str, Any], default_location: str, snapshots: list[catalog.Json]) -> Order:
    """The order in a request; raises ApiError."""
    _refuse_unknown(wish)
    kind = catalog.machine_type(_text(wish, "server_type"))
    place = catalog.location(_text(wish, "location", default_location or kind.places[0]))["name"]
    if place not in kind.places:
        raise invalid("server_type", f"server type '{kind.name}' is not supported in location '{place}'")
    image = catalog.image(_text(wish, "image"), kind.architecture, snapshots)
    if image["disk_size"] > kind.disk:
        raise invalid("image", "image disk is bigger than server type disk")
    return Order(
        name=server_name(wish),
        kind=kind,
        image=image,
        location=place,
        labels=labels.read(wish.get("labels")),
        user_data=_user_data(wish),
        firewalls=_firewalls(wish.get("firewalls") or []),
        addresses=_addresses(wish.get("public_net") or {}),
        with_password=not wish.get("ssh_keys"),
        start=wish.get("start_after_create", True) is not False,
    )


def _refuse_unknown(wish: dict[str, Any]) -> None:
    for field in wish:
        if field not in KNOWN:
            raise invalid(field, "unknown field")
    for field in UNSUPPORTED:
        if wish.get(field):
            raise invalid(field, "does not exist in this project")


def _addresses(net: object) -> dict[str, int]:
    """The primary addresses that the server is to have, by kind; where none is named it gets a new one."""
    if not isinstance(net, dict) or not (net.get("enable_ipv4", True) and net.get("enable_ipv6", True)):
        raise invalid("public_net", "every server of this project has an address of both kinds")
    named = {kind: net[kind] for kind in ("ipv4", "ipv6") if net.get(kind)}
    if not all(type(one) is int for one in named.values()):
        raise invalid("public_net", "an address is named by its id")
    return named


def _text(wish: dict[str, Any], field: str, default: str = "") -> str:
    value = wish.get(field, default)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise invalid(field, "is required")
    return str(value)


def server_name(wish: dict[str, Any]) -> str:
    """A host name of RFC 1123; raises ApiError."""
    name = _text(wish, "name")
    if not HOSTNAME.fullmatch(name):
        raise invalid("name", "must be a valid hostname as per RFC 1123")
    return name


def _user_data(wish: dict[str, Any]) -> str:
    user_data = wish.get("user_data") or ""
    if not isinstance(user_data, str):
        raise invalid("user_data", "must be a string")
    if len(user_data.encode()) > MOST_USER_DATA:
        raise invalid("user_data", "is too long (maximum 32 KiB)")
    return user_data


def _firewalls(wish: object) -> list[int]:
    if not isinstance(wish, list) or not all(isinstance(one, dict) for one in wish):
        raise invalid("firewalls", "must be a list of objects")
    ids = [one.get("firewall") for one in wish]
    if not all(isinstance(one, int) for one in ids):
        raise invalid("firewalls", "each must have the id of a firewall")
    return [int(one) for one in ids if one is not None]
