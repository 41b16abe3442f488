"""A stand-in of Hetzner Cloud that the vendor's own client library cannot tell from the vendor, as far as we use it."""

from __future__ import annotations

import pathlib

import flask

from sandbox.hetzner.api import api
from sandbox.hetzner.control import control
from sandbox.hetzner.faults import Faults
from sandbox.hetzner.machines import Machines
from sandbox.hetzner.project import Project
from sandbox.hetzner.store import Store
from sandbox.hosts import Hosts

SERVERS_OF_A_NEW_ACCOUNT = 5

__all__ = ["blueprint"]


def blueprint(
    home: pathlib.Path, token: str, hosts: Hosts, server_limit: int = SERVERS_OF_A_NEW_ACCOUNT
) -> flask.Blueprint:
    """The API below /v1 and its controls below /sandbox; machines of an earlier run are taken up again."""
    store = Store(home)
    faults = Faults(store)
    project = Project(store, faults, Machines(store, faults, hosts), server_limit)
    doors = flask.Blueprint("hetzner", __name__, template_folder="templates")
    doors.register_blueprint(api(project, token), url_prefix="/v1")
    doors.register_blueprint(control(project), url_prefix="/sandbox")
    project.machines.resume()
    return doors
