"""Doors to names: see them, enter one or a whole zone, remove them."""

from __future__ import annotations

import dataclasses
from typing import Any

import flask

from sandbox.internet.doors import Doors, text
from sandbox.internet.records import record, zone


class NameDoors(Doors):
    """Below /internet/api/names."""

    def register(self, doors: flask.Blueprint) -> None:
        self.open(doors, "/api/names", self.show, "GET")
        self.open(doors, "/api/names", self.add, "POST")
        self.open(doors, "/api/names", self.remove, "DELETE")
        self.open(doors, "/api/names/remove", self.remove, "POST")

    def show(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "names": [{**dataclasses.asdict(one), "source": told} for one, told in self.internet.names.all()]
        }

    def add(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "zone" in asked:
            added = zone(text(asked, "zone"))
        else:
            added = [record(text(asked, "name"), text(asked, "type"), text(asked, "value"))]
        self.internet.names.add(added)
        return {"names": [dataclasses.asdict(one) for one in added]}

    def remove(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One record, all of a type, or all that a name has."""
        name, kind, value = text(asked, "name"), text(asked, "type", ""), text(asked, "value", "")
        if kind and value:
            wanted = record(name, kind, value)
            return {"removed": self.internet.names.remove(wanted.name, wanted.type, wanted.value)}
        return {"removed": self.internet.names.remove(name.strip().rstrip(".").lower(), kind.upper())}
