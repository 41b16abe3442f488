"""The doors to images. Source: docs.hetzner.cloud/reference/cloud, "Images" and "Server Actions"."""

from __future__ import annotations

import json
import sqlite3

import flask

from sandbox.hetzner import actions, catalog, labels, orders
from sandbox.hetzner.errors import ApiError, invalid, not_found
from sandbox.hetzner.faults import take_with
from sandbox.hetzner.lists import in_order, page_of
from sandbox.hetzner.project import Project
from sandbox.hetzner.records import Json, image_json
from sandbox.hetzner.store import now

SORTABLE = ("id", "name", "created")
FILTERS = ("name", "type", "status", "architecture")


def living(db: sqlite3.Connection) -> list[Json]:
    """The project's snapshots."""
    rows = db.execute("select * from images where gone is null order by id").fetchall()
    return [image_json(row) for row in rows]


class Images:
    """Shows the vendor's images and the project's snapshots, and makes and deletes the latter."""

    def __init__(self, project: Project) -> None:
        self._project, self._store = project, project.store

    def create(self, id: int) -> tuple[flask.Response, int]:
        wish = orders.body()
        if wish.get("type", "snapshot") != "snapshot":
            raise invalid("type", "backups are not enabled for this server")
        with self._store.writing() as db:
            server = db.execute("select * from servers where id = ? and gone is null", [id]).fetchone()
            if server is None:
                raise not_found("server", id)
            actions.refuse_locked(db, id)
            image = self._insert(db, server, wish)
            resources = [{"id": id, "type": "server"}, {"id": image["id"], "type": "image"}]
            action = actions.start(db, "create_image", id, resources)
            doomed = take_with(db, "fail_action", "create_image") is not None
        self._project.snapshots.make(image["id"], action["id"], doomed)
        return flask.jsonify({"image": image, "action": action}), 201

    def _insert(self, db: sqlite3.Connection, server: sqlite3.Row, wish: Json) -> Json:
        kind = catalog.machine_type(server["type"])
        row = db.execute(
            "insert into images (status, description, labels, server, server_name, architecture, disk_size, created)"
            " values ('creating', ?, ?, ?, ?, ?, ?, ?) returning *",
            [
                *(_description(wish, f"snapshot {now()}"), json.dumps(labels.read(wish.get("labels")))),
                *(server["id"], server["name"], kind.architecture, catalog.disk_of(server), now()),
            ],
        ).fetchone()
        return image_json(row)

    def several(self) -> flask.Response:
        arguments = flask.request.args
        fits = labels.selector(arguments.get("label_selector", ""))
        with self._store.reading() as db:
            shown = [one for one in catalog.IMAGES + living(db) if fits(one["labels"])]
        for field in FILTERS:
            if wanted := arguments.getlist(field):
                shown = [one for one in shown if one[field] in wanted]
        return page_of("images", in_order(shown, SORTABLE))

    def get(self, id: int) -> Json:
        with self._store.reading() as db:
            return {"image": catalog.by_id(catalog.IMAGES + living(db), id, "image")}

    def update(self, id: int) -> Json:
        """Description and labels; labels are replaced as a whole."""
        wish = orders.body()
        with self._store.writing() as db:
            row = _own(db, id)
            kept = json.dumps(labels.read(wish["labels"])) if "labels" in wish else row["labels"]
            change = "update images set description = ?, labels = ? where id = ? returning *"
            row = db.execute(change, [_description(wish, row["description"]), kept, id]).fetchone()
            return {"image": image_json(row)}

    def delete(self, id: int) -> tuple[str, int]:
        """Servers that were made of it are not touched."""
        with self._store.writing() as db:
            if _own(db, id)["status"] == "creating":
                raise ApiError("locked", "image is locked: it is being made")
            db.execute("update images set gone = ? where id = ?", [now(), id])
        self._project.machines.hosts.forget_image(id)
        return "", 204


def _description(wish: Json, default: str) -> str:
    text = wish.get("description") or default
    if not isinstance(text, str):
        raise invalid("description", "must be a string")
    return text


def _own(db: sqlite3.Connection, image_id: int) -> sqlite3.Row:
    row = db.execute("select * from images where id = ? and gone is null", [image_id]).fetchone()
    if row is None and any(one["id"] == image_id for one in catalog.IMAGES):
        raise ApiError("forbidden", "this image belongs to the vendor")
    if row is None:
        raise not_found("image", image_id)
    return row
