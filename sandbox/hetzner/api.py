"""The table of the API's doors, as the vendor lays them out."""

from __future__ import annotations

from typing import NoReturn

import flask
from werkzeug.routing import MapAdapter

from sandbox.hetzner import catalog
from sandbox.hetzner.actions import Actions
from sandbox.hetzner.addresses import Addresses
from sandbox.hetzner.errors import ApiError
from sandbox.hetzner.firewalls import Firewalls
from sandbox.hetzner.images import Images
from sandbox.hetzner.lists import page_of
from sandbox.hetzner.power import Power
from sandbox.hetzner.project import Project
from sandbox.hetzner.resizing import Resizing
from sandbox.hetzner.servers import Servers
from sandbox.hetzner.traffic import Traffic, refuse

OPERATIONS = {
    "create_server": ("POST", "/servers"),
    "list_servers": ("GET", "/servers"),
    "get_server": ("GET", "/servers/<int:id>"),
    "update_server": ("PUT", "/servers/<int:id>"),
    "delete_server": ("DELETE", "/servers/<int:id>"),
    "list_server_actions": ("GET", "/servers/<int:id>/actions"),
    "change_dns_ptr": ("POST", "/servers/<int:id>/actions/change_dns_ptr"),
    "create_image": ("POST", "/servers/<int:id>/actions/create_image"),
    "power_on_server": ("POST", "/servers/<int:id>/actions/poweron"),
    "power_off_server": ("POST", "/servers/<int:id>/actions/poweroff"),
    "shutdown_server": ("POST", "/servers/<int:id>/actions/shutdown"),
    "change_type": ("POST", "/servers/<int:id>/actions/change_type"),
    "get_action": ("GET", "/actions/<int:id>"),
    "list_actions": ("GET", "/actions"),
    "create_firewall": ("POST", "/firewalls"),
    "list_firewalls": ("GET", "/firewalls"),
    "get_firewall": ("GET", "/firewalls/<int:id>"),
    "delete_firewall": ("DELETE", "/firewalls/<int:id>"),
    "list_server_types": ("GET", "/server_types"),
    "get_server_type": ("GET", "/server_types/<int:id>"),
    "list_locations": ("GET", "/locations"),
    "get_location": ("GET", "/locations/<int:id>"),
    "list_images": ("GET", "/images"),
    "get_image": ("GET", "/images/<int:id>"),
    "update_image": ("PUT", "/images/<int:id>"),
    "delete_image": ("DELETE", "/images/<int:id>"),
    "list_primary_ips": ("GET", "/primary_ips"),
    "get_primary_ip": ("GET", "/primary_ips/<int:id>"),
    "update_primary_ip": ("PUT", "/primary_ips/<int:id>"),
    "delete_primary_ip": ("DELETE", "/primary_ips/<int:id>"),
    "assign_primary_ip": ("POST", "/primary_ips/<int:id>/actions/assign"),
    "unassign_primary_ip": ("POST", "/primary_ips/<int:id>/actions/unassign"),
}
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def api(project: Project, token: str) -> flask.Blueprint:
    """The blueprint of the API itself, to stand below /v1."""
    doors = flask.Blueprint("v1", __name__)
    views = _views(project)
    for operation, (method, path) in OPERATIONS.items():
        doors.add_url_rule(path, operation, views[operation], methods=[method])
    doors.add_url_rule("/datacenters", "datacenters", _removed, methods=METHODS)
    doors.add_url_rule("/<path:path>", "unknown", _unknown, methods=METHODS)
    traffic = Traffic(token, project.store, project.faults)
    doors.before_request(traffic.before)
    doors.after_request(traffic.after)
    doors.register_error_handler(ApiError, refuse)
    return doors


def _views(project: Project) -> dict[str, flask.typing.RouteCallable]:
    servers, actions, firewalls = Servers(project), Actions(project), Firewalls(project)
    return {
        "create_server": servers.create,
        "list_servers": servers.several,
        "get_server": servers.get,
        "update_server": servers.update,
        "delete_server": servers.delete,
        "list_server_actions": actions.of_server,
        "change_dns_ptr": servers.change_dns_ptr,
        **_image_views(project),
        **_power_views(project),
        "get_action": actions.get,
        "list_actions": actions.several,
        "create_firewall": firewalls.create,
        "list_firewalls": firewalls.several,
        "get_firewall": firewalls.get,
        "delete_firewall": firewalls.delete,
        **_address_views(project),
        **_catalog_views(project),
    }


def _image_views(project: Project) -> dict[str, flask.typing.RouteCallable]:
    images = Images(project)
    return {
        "create_image": images.create,
        "list_images": images.several,
        "get_image": images.get,
        "update_image": images.update,
        "delete_image": images.delete,
    }


def _address_views(project: Project) -> dict[str, flask.typing.RouteCallable]:
    addresses = Addresses(project)
    return {
        "list_primary_ips": addresses.several,
        "get_primary_ip": addresses.get,
        "update_primary_ip": addresses.update,
        "delete_primary_ip": addresses.delete,
        "assign_primary_ip": addresses.assign,
        "unassign_primary_ip": addresses.unassign,
    }


def _power_views(project: Project) -> dict[str, flask.typing.RouteCallable]:
    power = Power(project)
    return {
        "power_on_server": lambda id: power.switch(id, "start_server"),
        "power_off_server": lambda id: power.switch(id, "stop_server"),
        "shutdown_server": lambda id: power.switch(id, "shutdown_server"),
        "change_type": Resizing(project).change,
    }


def _catalog_views(project: Project) -> dict[str, flask.typing.RouteCallable]:
    def types() -> list[catalog.Json]:
        return [catalog.type_json(kind, project.in_stock) for kind in catalog.TYPES]

    return {
        "list_server_types": lambda: page_of("server_types", _named(types())),
        "get_server_type": lambda id: {"server_type": catalog.by_id(types(), id, "server type")},
        "list_locations": lambda: page_of("locations", _named(catalog.LOCATIONS)),
        "get_location": lambda id: {"location": catalog.by_id(catalog.LOCATIONS, id, "location")},
    }


def _named(items: list[catalog.Json], *filters: str) -> list[catalog.Json]:
    """Those that fit the filters of the request; a filter given twice means either."""
    for field in ("name", *filters):
        if wanted := flask.request.args.getlist(field):
            items = [item for item in items if item[field] in wanted]
    return items


def _removed() -> NoReturn:
    announcement = "https://docs.hetzner.cloud/changelog#2026-06-02-datacenters-deprecated"
    raise ApiError("deprecated_api_endpoint", "API functionality was removed", {"announcement": announcement})


def _unknown(path: str) -> NoReturn:
    """Nothing stands here, or it stands here for another method."""
    adapter = flask.globals.request_ctx.url_adapter
    if adapter and any(_stands(adapter, method) for method in METHODS):
        raise ApiError("method_not_allowed", "the request method is not allowed")
    raise ApiError("not_found", f"there is no '/{path}'")


def _stands(adapter: MapAdapter, method: str) -> bool:
    endpoint, _ = adapter.match(method=method)
    return not endpoint.endswith(".unknown")
