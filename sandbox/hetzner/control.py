"""The stand-in's own page and its JSON: what people and tests use to see it and to make it fail."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

import flask

from sandbox.hetzner import faults
from sandbox.hetzner.api import OPERATIONS
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import image_json
from sandbox.hetzner.traffic import CALLS_AN_HOUR

MOST_CALLS = 1000
BASES = [
    "sandbox.html",
    "hetzner/bare.html",
]  # the page of the whole sandbox, or a bare one where the stand-in runs alone
LIMITS = ("server_limit", "calls_an_hour")

KINDS_OF_MACHINE = {
    "debian": "a real Debian 13 host",
    "process": "the agent alone, as a process: no host of its own",
    "none": "nothing: only the API answers",
}


class Control:
    """Pages and JSON below /sandbox; nothing of it exists at the vendor."""

    def __init__(self, project: Project) -> None:
        self._project, self._store, self._faults = project, project.store, project.faults

    def page(self) -> str:
        machines = self._project.machines
        return flask.render_template(
            "hetzner/control.html",
            base=flask.current_app.jinja_env.select_template(BASES),
            machines=machines.sights(),
            console=machines.hosts.console,
            hosts=machines.hosts,
            snapshots=self._snapshots(),
            kinds_of_machine=KINDS_OF_MACHINE,
            faults=self._faults.all(),
            fault_kinds=faults.KINDS,
            operations=sorted(OPERATIONS),
            limits=self._limits(),
            calls=self._calls(0, 20),
            calls_made=self._count(),
        )

    def list_machines(self) -> flask.Response:
        hosts = self._project.machines.hosts
        shown = [dataclasses.asdict(one) for one in self._project.machines.sights()]
        return flask.jsonify({"kind": hosts.kind, "why": hosts.why, "machines": shown})

    def _snapshots(self) -> list[dict[str, Any]]:
        """With where each is from: made here, or found in the cache."""
        with self._store.reading() as db:
            rows = db.execute("select * from images where gone is null order by id").fetchall()
        return [{**image_json(row), "from": "an earlier sandbox" if row["found"] else "here"} for row in rows]

    def list_snapshots(self) -> flask.Response:
        return flask.jsonify({"images": self._snapshots()})

    def console(self, id: int) -> flask.Response:
        return flask.Response(self._project.machines.hosts.console(id), mimetype="text/plain")

    def power(self, id: int) -> flask.typing.ResponseReturnValue:
        found = self._project.machines.power(id, _wish().get("on") in (True, "true", "on"))
        return self._back({}) if found else (flask.jsonify({"error": "no such machine"}), 404)

    def list_faults(self) -> flask.Response:
        return flask.jsonify({"faults": [dataclasses.asdict(fault) for fault in self._faults.all()]})

    def add_fault(self) -> flask.typing.ResponseReturnValue:
        try:
            fault = faults.read(_wish(), set(OPERATIONS))
        except faults.FaultError as problem:
            return flask.jsonify({"error": str(problem)}), 400
        return self._back({"fault": dataclasses.asdict(self._faults.add(fault))}, 201)

    def clear_faults(self, id: int | None = None) -> flask.typing.ResponseReturnValue:
        self._faults.clear(id)
        return self._back({"faults": []} if id is None else {})

    def list_calls(self) -> flask.Response:
        since = flask.request.args.get("since", 0, type=int)
        return flask.jsonify({"count": self._count(since), "calls": self._calls(since, MOST_CALLS)})

    def clear_calls(self) -> flask.typing.ResponseReturnValue:
        with self._store.writing() as db:
            db.execute("delete from calls")
        return self._back({"count": 0})

    def _count(self, since: int = 0) -> int:
        with self._store.reading() as db:
            return db.execute("select count(*) from calls where id > ?", [since]).fetchone()[0]

    def _calls(self, since: int, most: int) -> list[dict[str, Any]]:
        """The latest calls, oldest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "select * from calls where id > ? order by id desc limit ?", [since, most]
            ).fetchall()
        return [{**dict(row), "lost": bool(row["lost"])} for row in reversed(rows)]

    def show_limits(self) -> flask.Response:
        return flask.jsonify(self._limits())

    def _limits(self) -> dict[str, int]:
        calls = self._store.setting("calls_an_hour", CALLS_AN_HOUR)
        return {"server_limit": self._project.server_limit, "calls_an_hour": calls}

    def set_limits(self) -> flask.typing.ResponseReturnValue:
        wish = _wish()
        if not wish or not all(name in LIMITS and str(value).isdecimal() for name, value in wish.items()):
            return flask.jsonify({"error": f"numbers are needed, for {' or '.join(LIMITS)}"}), 400
        for name, value in wish.items():
            self._store.set(name, int(value))
        return self._back(self._limits())

    def _back(self, answer: dict[str, Any], status: int = 200) -> flask.typing.ResponseReturnValue:
        """Browsers return to the page, programs get JSON."""
        if flask.request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return flask.redirect(flask.url_for(".page"), 303)
        return flask.jsonify(answer), status


def _wish() -> dict[str, Any]:
    """JSON as it is; of a form only the fields that were filled in, where the word "always" stands for no end."""
    if flask.request.mimetype == "application/json":
        content = flask.request.get_json(silent=True)
        return content if isinstance(content, dict) else {}
    form = {name: value for name, value in flask.request.form.items() if value != ""}
    return {name: None if value == "always" else value for name, value in form.items()}


def refuse_strangers() -> flask.typing.ResponseReturnValue | None:
    """A page from elsewhere, open in the same browser, must not change anything here."""
    origin = flask.request.headers.get("Origin")
    if flask.request.method != "GET" and origin and urlsplit(origin).netloc != flask.request.host:
        return flask.jsonify({"error": "requests from other pages are refused"}), 403
    return None


def control(project: Project) -> flask.Blueprint:
    """The blueprint to stand below /sandbox."""
    doors, view = flask.Blueprint("sandbox", __name__), Control(project)
    doors.before_request(refuse_strangers)
    doors.add_url_rule("", "page", view.page)
    doors.add_url_rule("/machines", "list_machines", view.list_machines)
    doors.add_url_rule("/machines/<int:id>/console", "console", view.console)
    doors.add_url_rule("/machines/<int:id>/power", "power", view.power, methods=["POST"])
    doors.add_url_rule("/images", "list_snapshots", view.list_snapshots)
    doors.add_url_rule("/faults", "list_faults", view.list_faults)
    doors.add_url_rule("/faults", "add_fault", view.add_fault, methods=["POST"])
    doors.add_url_rule("/faults", "clear_faults", view.clear_faults, methods=["DELETE"])
    doors.add_url_rule("/faults/clear", "clear_by_form", view.clear_faults, methods=["POST"])
    doors.add_url_rule("/faults/<int:id>", "clear_fault", view.clear_faults, methods=["DELETE"])
    doors.add_url_rule("/faults/<int:id>/clear", "clear_one_by_form", view.clear_faults, methods=["POST"])
    doors.add_url_rule("/calls", "list_calls", view.list_calls)
    doors.add_url_rule("/calls", "clear_calls", view.clear_calls, methods=["DELETE"])
    doors.add_url_rule("/limits", "show_limits", view.show_limits)
    doors.add_url_rule("/limits", "set_limits", view.set_limits, methods=["POST", "PUT"])
    return doors
