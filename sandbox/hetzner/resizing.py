"""The door that makes a server one of another type. Source: docs.hetzner.cloud/reference/cloud, "Change the Type of a Server"."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from typing import Any

import flask

from sandbox.hetzner import actions, catalog, orders
from sandbox.hetzner.errors import ApiError, invalid
from sandbox.hetzner.faults import take_with
from sandbox.hetzner.project import Project
from sandbox.hetzner.servers import living

COMMAND = "change_server_type"
Json = dict[str, Any]


class Resizing:
    """Only for a server that is off: its disk is copied, never to a smaller one, and then it is started again."""

    def __init__(self, project: Project) -> None:
        self._project, self._store = project, project.store
        self._machines, self._faults = project.machines, project.faults

    def change(self, id: int) -> tuple[flask.Response, int]:
        wish = orders.body()
        kind, grows = catalog.machine_type(_text(wish.get("server_type"))), _flag(wish.get("upgrade_disk"))
        with self._store.writing() as db:
            row = living(db, id)
            actions.refuse_locked(db, id)
            if row["status"] != "off":
                raise ApiError("server_not_stopped", "server must be stopped")
            _refuse_unfit(row, kind)
            sold_out = take_with(db, "out_of_stock", "change_type", kind.name, row["location"])
            action = None if sold_out else self._begin(db, id, kind, grows)
        if action is None:
            raise ApiError("resource_unavailable", f"server type '{kind.name}' is out of stock there")
        self._later(action)
        return flask.jsonify({"action": action}), 201

    def _begin(self, db: sqlite3.Connection, id: int, kind: catalog.MachineType, grows: bool) -> Json:
        """What is to become of it is remembered, so that a stand-in that was killed goes on."""
        doom = take_with(db, "fail_action", "change_type", kind.name)
        becomes = {"type": kind.name, "grows": grows, "doomed": doom is not None}
        db.execute(
            "update servers set status = 'migrating', becomes = ? where id = ?", [json.dumps(becomes), id]
        )
        return actions.start(db, COMMAND, id, [{"id": id, "type": "server"}])

    def resume(self) -> None:
        """Takes up after a restart what was under way."""
        with self._store.reading() as db:
            rows = db.execute("select * from actions where command = ? and status = 'running'", [COMMAND])
            under_way = [{"id": row["id"], "resources": json.loads(row["resources"])} for row in rows]
        for action in under_way:
            self._later(action)

    def _later(self, action: Json) -> None:
        work = (action["resources"][0]["id"], action["id"])
        threading.Thread(target=self._do, args=work, name=f"resize-{work[0]}", daemon=True).start()

    def _do(self, server_id: int, action: int) -> None:
        if slow := self._faults.take("slow", "resize"):
            time.sleep(slow.seconds)
        with self._store.writing() as db:
            becomes = _settle(db, server_id)
        if not becomes["doomed"]:
            self._machines.power(server_id, on=True)
        with self._store.writing() as db:
            db.execute("update servers set becomes = null where id = ?", [server_id])
            actions.finish(db, action, actions.FAILED if becomes["doomed"] else None)


def _settle(db: sqlite3.Connection, server_id: int) -> Json:
    row = living(db, server_id)
    becomes: Json = json.loads(row["becomes"])
    kind = catalog.machine_type(row["type"] if becomes["doomed"] else becomes["type"])
    disk = kind.disk if becomes["grows"] and not becomes["doomed"] else catalog.disk_of(row)
    db.execute(
        "update servers set status = 'off', type = ?, disk = ? where id = ?", [kind.name, disk, server_id]
    )
    return becomes


def _refuse_unfit(row: sqlite3.Row, kind: catalog.MachineType) -> None:
    now = catalog.machine_type(row["type"])
    problem = (
        "it has this type already" if kind == now
        else "it has another architecture" if kind.architecture != now.architecture
        else "it is not supported in this location" if row["location"] not in kind.places
        else "its disk is smaller than the server's" if kind.disk < catalog.disk_of(row)
        else ""
    )  # fmt: skip
    if problem:
        raise ApiError("invalid_server_type", f"server type '{kind.name}' does not fit: {problem}")


def _text(value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise invalid("server_type", "is required")
    return str(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid("upgrade_disk", "is required")
    return value
