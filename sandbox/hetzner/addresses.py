"""The doors to primary addresses, which here always belong to a server. Source: docs.hetzner.cloud/reference/cloud."""

from __future__ import annotations

import sqlite3

import flask

from sandbox.hetzner import labels
from sandbox.hetzner.errors import not_found
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import Json, primary_ip_json


class Addresses:
    """Shows addresses; they are made and removed with their servers."""

    def __init__(self, project: Project) -> None:
        self._store = project.store

    def several(self) -> flask.Response:
        arguments = flask.request.args
        fits = labels.selector(arguments.get("label_selector", ""))
        shown = [one for one in self._all() if fits(one["labels"])]
        for field in ("name", "ip"):
            if field in arguments:
                shown = [one for one in shown if one[field] == arguments[field]]
        return page_of("primary_ips", in_order(shown, ("id", "created")))

    def _all(self) -> list[Json]:
        with self._store.reading() as db:
            rows = db.execute("select * from servers where gone is null order by id").fetchall()
        return [address for row in rows for address in _both(row)]

    def get(self, id: int) -> flask.Response:
        for address in self._all():
            if address["id"] == id:
                return flask.jsonify({"primary_ip": address})
        raise not_found("primary_ip", id)


def _both(row: sqlite3.Row) -> list[Json]:
    return [primary_ip_json(row, "ipv4"), primary_ip_json(row, "ipv6")]
