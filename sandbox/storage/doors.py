"""Doors for people and tests: objects, what is checked, what shall go wrong. Nothing of them exists at the vendor."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import flask

from sandbox.internet import doors as words
from sandbox.storage.state import WishError, read_fault

if TYPE_CHECKING:
    from sandbox.storage.office import ObjectStorage

Answer = flask.typing.ResponseReturnValue
WRONG = (WishError, words.WishError, ValueError, OSError)
MOST = 10_000  # objects or calls in one answer
CHANGES = ("corrupt", "truncate", "delete", "swap", "age")


class Doors:
    """Below /storage/api; each answers a program with JSON and a browser with the page."""

    def __init__(self, office: ObjectStorage) -> None:
        self._office, self._server = office, office.server

    def register(self, doors: flask.Blueprint) -> None:
        for path, work, methods in (
            ("/api/objects", self.objects, "GET"),
            ("/api/objects/<change>", self.change, "POST"),
            ("/api/checks", self.checks, "GET"),
            ("/api/checks", self.switch, "PUT POST"),
            ("/api/faults", self.faults, "GET"),
            ("/api/faults", self.add_fault, "POST"),
            ("/api/faults", self.clear, "DELETE"),
            ("/api/faults/clear", self.clear, "POST"),
            ("/api/calls", self.calls, "GET"),
            ("/api/kill", self.kill, "POST"),
        ):
            self._open(doors, path, work, methods.split())

    def _open(self, doors: flask.Blueprint, path: str, work: Any, methods: list[str]) -> None:
        def door(**parts: str) -> Answer:
            try:
                return self._told(work({**words.wish(), **parts}))
            except WRONG as problem:
                if words.by_form():
                    return self._office.page(error=str(problem)), 400
                return flask.jsonify({"error": str(problem)}), 400

        doors.add_url_rule(path, "-".join([*methods, path]), door, methods=methods)

    def _told(self, answer: dict[str, Any]) -> Answer:
        if words.by_form():
            return flask.redirect(flask.url_for("storage.page"), 303)
        return flask.jsonify(answer), 201 if flask.request.method == "POST" else 200

    def objects(self, asked: dict[str, Any]) -> dict[str, Any]:
        """With sizes and dates; `bucket` and `prefix` choose."""
        bucket, prefix = words.text(asked, "bucket", ""), words.text(asked, "prefix", "")
        if bucket and bucket not in self._server.objects.buckets():
            raise WishError("there is no such bucket")
        found = self._server.objects.all(bucket, prefix, MOST)
        return {
            "objects": [dataclasses.asdict(one) for one in found],
            "buckets": self._server.objects.buckets(),
        }

    def change(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Corrupts, truncates, deletes, swaps or ages one object, as S3 never would."""
        change, objects = asked["change"], self._server.objects
        if change not in CHANGES:
            raise WishError(f"an object can be changed by {', '.join(CHANGES)}")
        bucket, key = words.text(asked, "bucket"), words.text(asked, "key")
        if change == "swap":
            objects.swap(bucket, key, words.text(asked, "other"))
        elif change == "truncate":
            objects.truncate(bucket, key, _whole(asked.get("to")))
        elif change == "age":
            objects.age(float(asked.get("hours", 0)), bucket, key)
        else:
            getattr(objects, change)(bucket, key)
        return {"bucket": bucket, "key": key, "changed": change}

    def checks(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"checks": self._server.state.all_checks()}

    def switch(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._server.state.switch(words.text(asked, "check"), asked.get("on") in (True, "true", "on"))
        return self.checks(asked)

    def faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"faults": [dataclasses.asdict(one) for one in self._server.state.faults()]}

    def add_fault(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"fault": dataclasses.asdict(self._server.state.add(read_fault(asked)))}

    def clear(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._server.state.clear(_whole(asked.get("id")))
        return self.faults(asked)

    def calls(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._server.calls.since(_whole(asked.get("since")) or 0)
        return {"calls": [dataclasses.asdict(one) for one in found], "sums": self._server.calls.sums()}

    def kill(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Kills the storage in the middle of whatever it does; it starts again with the next request."""
        self._server.rclone.kill()
        return {"killed": True}


def _whole(given: object) -> int | None:
    if given in (None, ""):
        return None
    try:
        return int(str(given))
    except ValueError:
        raise WishError("a whole number is needed") from None
