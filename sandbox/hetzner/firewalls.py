"""The doors to firewalls. Source: docs.hetzner.cloud/reference/cloud, "Firewalls"."""

from __future__ import annotations

import ipaddress
import json
import re
import sqlite3
from typing import Any

import flask

from sandbox.hetzner import actions, labels, orders
from sandbox.hetzner.errors import ApiError, invalid, not_found, taken
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import firewall_json, protects
from sandbox.hetzner.store import now

MOST_RULES, MOST_NETWORKS, LONGEST_DESCRIPTION = 50, 100, 255
PROTOCOLS = ("tcp", "udp", "icmp", "esp", "gre")
PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")

Json = dict[str, Any]


class Firewalls:
    """Keeps rules and says to whom they apply; no packet is ever filtered by the stand-in."""

    def __init__(self, project: Project) -> None:
        self._store = project.store

    def create(self) -> tuple[flask.Response, int]:
        wish = orders.body()
        name, rules, selectors, servers = _name(wish), _rules(wish), *_targets(wish)
        kept = json.dumps(labels.read(wish.get("labels")))
        with self._store.writing() as db:
            if db.execute("select 1 from firewalls where name = ?", [name]).fetchone():
                raise taken("name", "firewall name is already used")
            row = db.execute(
                "insert into firewalls (name, labels, rules, selectors, created) values (?, ?, ?, ?, ?) returning *",
                [name, kept, json.dumps(rules), json.dumps(selectors), now()],
            ).fetchone()
            done = [_apply(db, row["id"], server) for server in servers]
            answer = {
                "firewall": firewall_json(row, _servers(db)),
                "actions": [_set_rules(db, row["id"]), *done],
            }
        return flask.jsonify(answer), 201

    def several(self) -> flask.Response:
        arguments = flask.request.args
        fits = labels.selector(arguments.get("label_selector", ""))
        with self._store.reading() as db:
            find = "select * from firewalls where name = ifnull(?, name) order by id"
            rows = db.execute(find, [arguments.get("name")]).fetchall()
            servers = _servers(db)
        rows = [row for row in rows if fits(json.loads(row["labels"]))]
        rows = in_order(rows, ("id", "name", "created"))
        return page_of("firewalls", rows, lambda row: firewall_json(row, servers))

    def get(self, id: int) -> flask.Response:
        with self._store.reading() as db:
            return flask.jsonify({"firewall": firewall_json(_existing(db, id), _servers(db))})

    def delete(self, id: int) -> tuple[str, int]:
        with self._store.writing() as db:
            row = _existing(db, id)
            if any(protects(row, server) for server in _servers(db)):
                raise ApiError("resource_in_use", f"firewall with ID '{id}' is still in use")
            db.execute("delete from firewalls where id = ?", [id])
        return "", 204


def _existing(db: sqlite3.Connection, firewall_id: int) -> sqlite3.Row:
    row = db.execute("select * from firewalls where id = ?", [firewall_id]).fetchone()
    if row is None:
        raise not_found("firewall", firewall_id)
    return row


def _servers(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute("select * from servers where gone is null order by id").fetchall()


def _set_rules(db: sqlite3.Connection, firewall_id: int) -> Json:
    action = actions.start(db, "set_firewall_rules", None, [{"id": firewall_id, "type": "firewall"}])
    actions.finish(db, action["id"])
    return action


def _apply(db: sqlite3.Connection, firewall_id: int, server_id: int) -> Json:
    row = db.execute("select * from servers where id = ? and gone is null", [server_id]).fetchone()
    if row is None:
        raise invalid("apply_to", f"server '{server_id}' does not exist")
    applied = json.dumps([*json.loads(row["firewalls"]), firewall_id])
    db.execute("update servers set firewalls = ? where id = ?", [applied, server_id])
    resources = [{"id": firewall_id, "type": "firewall"}, {"id": server_id, "type": "server"}]
    action = actions.start(db, "apply_firewall", server_id, resources)
    actions.finish(db, action["id"])
    return action


def _name(wish: Json) -> str:
    name = wish.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 128:
        raise invalid("name", "must be a text of 1 to 128 characters")
    return name


def _targets(wish: Json) -> tuple[list[str], list[int]]:
    """Selectors and servers that the firewall is for."""
    selectors, servers = [], []
    for target in wish.get("apply_to") or []:
        if target.get("type") == "label_selector":
            selectors.append(str(target.get("label_selector", {}).get("selector", "")))
            labels.selector(selectors[-1])
        elif target.get("type") == "server" and isinstance(target.get("server", {}).get("id"), int):
            servers.append(target["server"]["id"])
        else:
            raise invalid("apply_to", "must be a server or a label selector")
    return selectors, servers


def _rules(wish: Json) -> list[Json]:
    rules = wish.get("rules") or []
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        raise invalid("rules", f"must be a list of at most {MOST_RULES}")
    return [_rule(rule, f"rules.{number}") for number, rule in enumerate(rules)]


def _rule(rule: object, field: str) -> Json:
    if not isinstance(rule, dict) or rule.get("direction") not in ("in", "out"):
        raise invalid(f"{field}.direction", "must be in or out")
    if rule.get("protocol") not in PROTOCOLS:
        raise invalid(f"{field}.protocol", f"must be one of {', '.join(PROTOCOLS)}")
    if len(rule.get("description") or "") > LONGEST_DESCRIPTION:
        raise invalid(f"{field}.description", "is too long")
    near, far = (
        ("source_ips", "destination_ips") if rule["direction"] == "in" else ("destination_ips", "source_ips")
    )
    return {
        "direction": rule["direction"],
        "protocol": rule["protocol"],
        "port": _port(rule, f"{field}.port"),
        "description": rule.get("description"),
        near: _networks(rule.get(near), f"{field}.{near}"),
        far: [],
    }


def _port(rule: Json, field: str) -> str | None:
    port = rule.get("port")
    if rule["protocol"] not in ("tcp", "udp"):
        if port is not None:
            raise invalid(field, f"must not be set for {rule['protocol']}")
        return None
    fit = PORTS.fullmatch(port) if isinstance(port, str) else None
    if not fit or not 1 <= int(fit[1]) <= int(fit[2] or fit[1]) <= 65535:
        raise invalid(field, "must be a port or a range of ports")
    return port


def _networks(networks: object, field: str) -> list[str]:
    if not isinstance(networks, list) or not 1 <= len(networks) <= MOST_NETWORKS:
        raise invalid(field, f"must be a list of 1 to {MOST_NETWORKS} networks")
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as problem:
            raise invalid(field, f"'{network}' is not a network in CIDR notation") from problem
    return networks
