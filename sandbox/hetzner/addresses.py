"""Primary addresses, which outlive their server where they are told to. Source: docs.hetzner.cloud/reference/cloud."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import flask

from sandbox.hetzner import actions, labels, orders
from sandbox.hetzner.errors import ApiError, invalid, not_found, taken
from sandbox.hetzner.faults import take_with
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import Json, primary_ip_json
from sandbox.hetzner.store import now
from sandbox.hetzner.ties import living, split, tie, untie


class Addresses:
    """Shows, changes, ties and removes addresses; they are made with servers."""

    def __init__(self, project: Project) -> None:
        self._store = project.store

    def several(self) -> flask.Response:
        arguments = flask.request.args
        fits = labels.selector(arguments.get("label_selector", ""))
        with self._store.reading() as db:
            rows = db.execute("select * from addresses where gone is null order by id").fetchall()
            shown = [_json(db, row) for row in rows]
        shown = [one for one in shown if fits(one["labels"])]
        for field in ("name", "ip"):
            if field in arguments:
                shown = [one for one in shown if one[field] == arguments[field]]
        return page_of("primary_ips", in_order(shown, ("id", "created")))

    def get(self, id: int) -> flask.Response:
        with self._store.reading() as db:
            return flask.jsonify({"primary_ip": _json(db, living(db, id))})

    def update(self, id: int) -> flask.Response:
        """Name, labels as a whole, and whether it goes with its server."""
        wish = orders.body()
        with self._store.writing() as db:
            row = living(db, id)
            name, goes = wish.get("name") or row["name"], wish.get("auto_delete", bool(row["auto_delete"]))
            if not isinstance(name, str) or not isinstance(goes, bool):
                raise invalid("name", "must be text")
            self._refuse_name(db, name, id)
            kept = json.dumps(labels.read(wish["labels"])) if "labels" in wish else row["labels"]
            change = "update addresses set name = ?, auto_delete = ?, labels = ? where id = ?"
            db.execute(change, [name, goes, kept, id])
            return flask.jsonify({"primary_ip": _json(db, living(db, id))})

    def _refuse_name(self, db: sqlite3.Connection, name: str, but: int) -> None:
        same = "select 1 from addresses where name = ? and id != ? and gone is null"
        if db.execute(same, [name, but]).fetchone():
            raise taken("name", "primary IP name is already used")

    def delete(self, id: int) -> tuple[str, int]:
        with self._store.writing() as db:
            if living(db, id)["server"]:
                raise ApiError("must_be_unassigned", "primary IP must be unassigned first")
            db.execute("update addresses set gone = ? where id = ?", [now(), id])
        return "", 204

    def assign(self, id: int) -> tuple[flask.Response, int]:
        wish = orders.body()
        with self._store.writing() as db:
            row = living(db, id)
            server = _off(db, wish.get("assignee_id"))
            if wish.get("assignee_type") != "server":
                raise invalid("assignee_type", "must be server")
            self._refuse_second(row, server)
            return self._act(db, "assign_primary_ip", row, server["id"], lambda: tie(db, row, server["id"]))

    def _refuse_second(self, row: sqlite3.Row, server: sqlite3.Row) -> None:
        if row["server"]:
            raise ApiError("primary_ip_already_assigned", "primary IP is assigned to a server")
        if server[row["kind"]]:
            raise ApiError(f"server_has_{row['kind']}", f"server already has an {row['kind']} address")
        if row["location"] != server["location"]:
            raise ApiError("primary_ip_datacenter_mismatch", "primary IP is in another location")

    def unassign(self, id: int) -> tuple[flask.Response, int]:
        with self._store.writing() as db:
            row = living(db, id)
            if not row["server"]:
                raise invalid("id", "primary IP is not assigned")
            server = _off(db, row["server"])
            return self._act(db, "unassign_primary_ip", row, server["id"], lambda: untie(db, row))

    def _act(
        self, db: sqlite3.Connection, command: str, row: sqlite3.Row, server_id: int, work: Any
    ) -> tuple[flask.Response, int]:
        """Done at once, or, where it was told to fail, not at all."""
        resources = [{"id": server_id, "type": "server"}, {"id": row["id"], "type": "primary_ip"}]
        action = actions.start(db, command, server_id, resources)
        doom = take_with(db, "fail_action", command)
        if not doom:
            work()
        actions.finish(db, action["id"], actions.FAILED if doom else None)
        return flask.jsonify({"action": action}), 201


def _off(db: sqlite3.Connection, server_id: object) -> sqlite3.Row:
    """The server, if it is off; raises ApiError."""
    row = db.execute("select * from servers where id = ? and gone is null", [server_id]).fetchone()
    if row is None:
        raise not_found("server", server_id)
    if row["status"] != "off":
        raise ApiError("server_not_stopped", "server must be stopped")
    return row


def _json(db: sqlite3.Connection, row: sqlite3.Row) -> Json:
    pointers = row["dns_ptr"]
    if row["server"]:
        pointers = db.execute("select dns_ptr from servers where id = ?", [row["server"]]).fetchone()[0]
    return primary_ip_json(row, split(json.loads(pointers), row["kind"])[0])
