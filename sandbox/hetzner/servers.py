"""The doors to servers. Source: docs.hetzner.cloud/reference/cloud, "Servers" and "Server Actions"."""

from __future__ import annotations

import ipaddress
import json
import secrets
import sqlite3
from typing import Any

import flask

from sandbox.hetzner import actions, images, labels, orders, ties
from sandbox.hetzner.errors import ApiError, invalid, not_found, taken
from sandbox.hetzner.faults import take_with
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import Surroundings, owns, server_json
from sandbox.hetzner.store import now

FIRST_ADDRESS = 10  # the ones below are left for the network itself
SORTABLE = ("id", "name", "created")

Json = dict[str, Any]


class Servers:
    """Creates, shows, renames and deletes servers; their machines follow."""

    def __init__(self, project: Project) -> None:
        self._project, self._store = project, project.store

    def create(self) -> tuple[flask.Response, int]:
        order = orders.read(orders.body(), default_location="", snapshots=self._snapshots())
        self._refuse_out_of_stock(order)
        with self._store.writing() as db:
            self._refuse_name(db, order.name)
            self._refuse_firewalls(db, order.firewalls)
            self._refuse_over_limit(db)
            row = self._insert(db, order)
            answer = self._answer(db, row, order)
        if order.start:
            self._project.machines.bring_up(row["id"])
        else:
            self._project.machines.leave_off(row["id"])
        return flask.jsonify(answer), 201

    def _snapshots(self) -> list[Json]:
        with self._store.reading() as db:
            return images.living(db)

    def _refuse_out_of_stock(self, order: orders.Order) -> None:
        if self._project.faults.take("out_of_stock", "create_server", order.kind.name, order.location):
            raise ApiError("resource_unavailable", f"server type '{order.kind.name}' is out of stock there")

    def _refuse_over_limit(self, db: sqlite3.Connection) -> None:
        count = db.execute("select count(*) from servers where gone is null").fetchone()[0]
        if count >= self._project.server_limit:
            limits = {"limits": [{"name": "server_limit"}]}
            raise ApiError("resource_limit_exceeded", "server limit exceeded", limits)

    def _insert(self, db: sqlite3.Connection, order: orders.Order) -> sqlite3.Row:
        doom = take_with(db, "fail_action", "create_server", order.kind.name, order.location)
        row = db.execute(
            "insert into servers (name, labels, type, location, image, ipv4, ipv6, dns_ptr, firewalls, user_data,"
            " status, doom, created) values (?, ?, ?, ?, ?, ?, '', '{}', ?, ?, 'initializing', ?, ?) returning id",
            [
                *(order.name, json.dumps(order.labels), order.kind.name, order.location, order.image["id"]),
                *("", json.dumps(order.firewalls), order.user_data),
                *(doom and json.dumps(actions.FAILED), now()),
            ],
        ).fetchone()
        for kind in ties.KINDS:
            self._give_address(db, row["id"], kind, order)
        return living(db, row["id"])

    def _refuse_name(self, db: sqlite3.Connection, name: str, but: int = 0) -> None:
        same = "select 1 from servers where name = ? and id != ? and gone is null"
        if db.execute(same, [name, but]).fetchone():
            raise taken("name", "server name is already used")

    def _refuse_firewalls(self, db: sqlite3.Connection, ids: list[int]) -> None:
        for one in ids:
            if not db.execute("select 1 from firewalls where id = ?", [one]).fetchone():
                raise invalid("firewalls", f"firewall '{one}' does not exist")

    def _give_address(self, db: sqlite3.Connection, server_id: int, kind: str, order: orders.Order) -> None:
        """The one that was named, or a new one that goes with the server."""
        if kind in order.addresses:
            kept = ties.free(db, order.addresses[kind], kind, order.location)
        else:
            ip = self._free_address(db) if kind == "ipv4" else _network(server_id)
            kept = ties.make(db, kind, ip, order.location)
        ties.tie(db, kept, server_id)

    def _free_address(self, db: sqlite3.Connection) -> str:
        used = {row["ip"] for row in db.execute("select ip from addresses where gone is null")}
        network = self._project.network
        for number in range(FIRST_ADDRESS, network.num_addresses - 1):
            if (address := str(network[number])) not in used:
                return address
        raise ApiError("resource_unavailable", "no address is left")

    def _answer(self, db: sqlite3.Connection, row: sqlite3.Row, order: orders.Order) -> Json:
        resource = [{"id": row["id"], "type": "server"}]
        action = actions.start(db, "create_server", row["id"], resource)
        following = [actions.start(db, "start_server", row["id"], resource)] if order.start else []
        return {
            "server": server_json(row, self._surroundings(db)),
            "action": action,
            "next_actions": following,
            "root_password": secrets.token_urlsafe(15) if order.with_password else None,
        }

    def _surroundings(self, db: sqlite3.Connection) -> Surroundings:
        busy = db.execute("select server from actions where status = 'running' and server is not null")
        firewalls = db.execute("select * from firewalls order by id").fetchall()
        locked = frozenset(row["server"] for row in busy)
        shown = images.living(db)
        return Surroundings(self._project.in_stock, locked, firewalls, shown, ties.by_server(db))

    def several(self) -> flask.Response:
        arguments = flask.request.args
        fits, statuses = labels.selector(arguments.get("label_selector", "")), arguments.getlist("status")
        with self._store.reading() as db:
            rows = db.execute(
                "select * from servers where gone is null and name = ifnull(?, name) order by id",
                [arguments.get("name")],
            ).fetchall()
            around = self._surroundings(db)
        rows = [row for row in rows if not statuses or row["status"] in statuses]
        rows = [row for row in rows if fits(json.loads(row["labels"]))]
        rows = in_order(rows, SORTABLE)
        return page_of("servers", rows, lambda row: server_json(row, around))

    def get(self, id: int) -> flask.Response:
        with self._store.reading() as db:
            return flask.jsonify({"server": server_json(living(db, id), self._surroundings(db))})

    def update(self, id: int) -> flask.Response:
        """Only name and labels can change; labels are replaced as a whole."""
        wish = orders.body()
        with self._store.writing() as db:
            row = living(db, id)
            name = orders.server_name(wish) if "name" in wish else row["name"]
            self._refuse_name(db, name, but=id)
            kept = json.dumps(labels.read(wish["labels"])) if "labels" in wish else row["labels"]
            change = "update servers set name = ?, labels = ? where id = ? returning *"
            row = db.execute(change, [name, kept, id]).fetchone()
            return flask.jsonify({"server": server_json(row, self._surroundings(db))})

    def delete(self, id: int) -> flask.Response:
        """The server is gone for the API at once; the action ends when the machine is gone too."""
        with self._store.writing() as db:
            living(db, id)
            actions.refuse_locked(db, id)
            action = actions.start(db, "delete_server", id, [{"id": id, "type": "server"}])
            if take_with(db, "fail_action", "delete_server"):
                actions.finish(db, action["id"], actions.FAILED)
                return flask.jsonify({"action": action})
            ties.part(db, id)
            db.execute("update servers set gone = ?, user_data = null where id = ?", [now(), id])
        self._project.machines.take_down(id)
        return flask.jsonify({"action": action})

    def change_dns_ptr(self, id: int) -> tuple[flask.Response, int]:
        wish = orders.body()
        with self._store.writing() as db:
            row = living(db, id)
            ip, name = _pointer(row, wish)
            action = actions.start(db, "change_dns_ptr", id, [{"id": id, "type": "server"}])
            doom = take_with(db, "fail_action", "change_dns_ptr")
            if not doom:
                _point(db, row, ip, name)
            actions.finish(db, action["id"], actions.FAILED if doom else None)
        return flask.jsonify({"action": action}), 201


def _network(server_id: int) -> str:
    """A /64 of the documentation's network (RFC 3849), its own for every server that ever was."""
    network = f"2001:db8:{server_id >> 16 & 0xFFFF:x}:{server_id & 0xFFFF:x}::/64"
    return str(ipaddress.IPv6Network(network))


def living(db: sqlite3.Connection, server_id: int) -> sqlite3.Row:
    """The server of that id, unless it is deleted; raises ApiError."""
    row = db.execute("select * from servers where id = ? and gone is null", [server_id]).fetchone()
    if row is None:
        raise not_found("server", server_id)
    return row


def _pointer(row: sqlite3.Row, wish: Json) -> tuple[str, str | None]:
    ip, name = wish.get("ip"), wish.get("dns_ptr")
    if not isinstance(ip, str) or not owns(row, ip):
        raise invalid("ip", "does not belong to the server")
    if name is not None and not (isinstance(name, str) and orders.HOSTNAME.fullmatch(name)):
        raise invalid("dns_ptr", "must be a hostname")
    return str(ipaddress.ip_address(ip)), name


def _point(db: sqlite3.Connection, row: sqlite3.Row, ip: str, name: str | None) -> None:
    pointers = {**json.loads(row["dns_ptr"]), ip: name}
    kept = {address: text for address, text in pointers.items() if text is not None}
    db.execute("update servers set dns_ptr = ? where id = ?", [json.dumps(kept), row["id"]])
