"""The doors that turn servers on and off. Source: docs.hetzner.cloud/reference/cloud, "Server Actions"."""

from __future__ import annotations

import threading

import flask

from sandbox.hetzner import actions
from sandbox.hetzner.errors import invalid
from sandbox.hetzner.project import Project
from sandbox.hetzner.servers import living


class Power:
    """Starts, cuts the power of, or presses the button of a server; the action ends when that is done."""

    def __init__(self, project: Project) -> None:
        self._machines, self._store = project.machines, project.store

    def switch(self, server_id: int, command: str) -> tuple[flask.Response, int]:
        """`command` is the vendor's: start_server, stop_server or shutdown_server."""
        with self._store.writing() as db:
            row = living(db, server_id)
            if command == "start_server" and not (row["ipv4"] or row["ipv6"]):
                raise invalid("server", "has no network to be started with")
            actions.refuse_locked(db, server_id)
            action = actions.start(db, command, server_id, [{"id": server_id, "type": "server"}])
        threading.Thread(target=self._do, args=(server_id, command, action["id"]), daemon=True).start()
        return flask.jsonify({"action": action}), 201

    def _do(self, server_id: int, command: str, action: int) -> None:
        if command == "shutdown_server":
            self._machines.press(server_id)
        else:
            self._machines.power(server_id, on=command == "start_server")
        with self._store.writing() as db:
            actions.finish(db, action)
