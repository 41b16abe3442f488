"""A stand-in of Hetzner Cloud that the vendor's own client library cannot tell from the vendor, as far as we use it."""

from __future__ import annotations

import pathlib

import flask

from sandbox.hetzner.api import api
from sandbox.hetzner.control import control
from sandbox.hetzner.faults import Faults
from sandbox.hetzner.machines import Machines
from sandbox.hetzner.project import Project
from sandbox.hetzner.resizing import Resizing
from sandbox.hetzner.snapshots import Snapshots
from sandbox.hetzner.store import Store
from sandbox.hosts import Hosts

SERVERS_OF_A_NEW_ACCOUNT = 5

__all__ = ["blueprint", "doors", "open_project"]


def blueprint(
    home: pathlib.Path, token: str, hosts: Hosts, server_limit: int = SERVERS_OF_A_NEW_ACCOUNT
) -> flask.Blueprint:
    """The API below /v1 and its controls below /sandbox; machines of an earlier run are taken up again."""
    return doors(open_project(home, hosts, server_limit), token)


def open_project(home: pathlib.Path, hosts: Hosts, server_limit: int = SERVERS_OF_A_NEW_ACCOUNT) -> Project:
    """The project whose memory is in that home, with everything that was under way in it going on."""
    store = Store(home)
    faults = Faults(store)
    machines = Machines(store, faults, hosts)
    project = Project(store, faults, machines, Snapshots(store, machines), server_limit)
    project.snapshots.resume()
    Resizing(project).resume()
    project.machines.resume()
    return project


def doors(project: Project, token: str) -> flask.Blueprint:
    """The API of that project, for who has the token, and its controls."""
    both = flask.Blueprint("hetzner", __name__, template_folder="templates")
    both.register_blueprint(api(project, token), url_prefix="/v1")
    both.register_blueprint(control(project), url_prefix="/sandbox")
    return both
