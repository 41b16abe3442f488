"""Actions: what the vendor does after it has answered. Source: docs.hetzner.cloud/reference/cloud, "Actions"."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import flask

from sandbox.hetzner.errors import ApiError, invalid, not_found
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import action_json
from sandbox.hetzner.store import now

MOST_IDS = 25
FAILED = {"code": "action_failed", "message": "Action failed"}
SORTABLE = ("id", "command", "status", "started", "finished")

Json = dict[str, Any]


def start(db: sqlite3.Connection, command: str, server_id: int | None, resources: list[Json]) -> Json:
    """A new running action, as the answer shows it."""
    row = db.execute(
        "insert into actions (command, status, started, server, resources) values (?, 'running', ?, ?, ?) returning *",
        [command, now(), server_id, json.dumps(resources)],
    ).fetchone()
    return action_json(row)


def finish(db: sqlite3.Connection, action_id: int, error: Json | None = None) -> None:
    db.execute(
        "update actions set status = ?, finished = ?, error = ? where id = ? and status = 'running'",
        ["error" if error else "success", now(), error and json.dumps(error), action_id],
    )


def finish_all(db: sqlite3.Connection, server_id: int, error: Json | None = None) -> None:
    """Ends what is still running for a server."""
    running = db.execute("select id from actions where server = ? and status = 'running'", [server_id])
    for row in running.fetchall():
        finish(db, row["id"], error)


def refuse_locked(db: sqlite3.Connection, server_id: int) -> None:
    """While a server's disk is being copied, nothing else may be done to it; raises ApiError."""
    copying = (
        "select 1 from actions where server = ? and status = 'running'"
        " and command in ('create_image', 'change_server_type')"
    )
    if db.execute(copying, [server_id]).fetchone():
        raise ApiError("locked", "server is locked: its disk is being copied")


class Actions:
    """The doors to actions."""

    def __init__(self, project: Project) -> None:
        self._store = project.store

    def get(self, id: int) -> flask.Response:
        with self._store.reading() as db:
            row = db.execute("select * from actions where id = ?", [id]).fetchone()
        if row is None:
            raise not_found("action", id)
        return flask.jsonify({"action": action_json(row)})

    def several(self) -> flask.Response:
        """Those that are asked for by id; the list of all was removed in 2025."""
        ids = flask.request.args.getlist("id")
        if not ids or len(ids) > MOST_IDS or not all(text.isdecimal() for text in ids):
            raise invalid("id", f"must be given, as numbers, at most {MOST_IDS} times")
        marks = ", ".join("?" * len(ids))
        with self._store.reading() as db:
            rows = db.execute(f"select * from actions where id in ({marks}) order by id", ids)
            return flask.jsonify({"actions": [action_json(row) for row in rows]})

    def of_server(self, id: int) -> flask.Response:
        with self._store.reading() as db:
            if not db.execute("select 1 from servers where id = ? and gone is null", [id]).fetchone():
                raise not_found("server", id)
            rows = db.execute("select * from actions where server = ? order by id", [id]).fetchall()
        wanted = flask.request.args.getlist("status")
        shown = [action_json(row) for row in rows if not wanted or row["status"] in wanted]
        return page_of("actions", in_order(shown, SORTABLE))
