"""The storage as one part of the sandbox: its S3 server, its page and its doors."""

from __future__ import annotations

import dataclasses
import pathlib
import secrets
from typing import Any

import flask

from sandbox.storage.doors import Doors
from sandbox.storage.rclone import why_not
from sandbox.storage.server import Keys, S3Server
from sandbox.storage.state import CHECKS, KINDS, OPERATIONS

REGION, BUCKET = "fsn1", "mailat-backups"
SHOWN = 200  # objects on the page


class ObjectStorage:
    """`blueprint` is mounted at /storage; S3 has a port of its own, because its clients know no path before the bucket."""

    def __init__(self, home: pathlib.Path, access_key: str = "", secret_key: str = "", port: int = 0) -> None:
        keys = Keys(access_key or f"AK{secrets.token_hex(8)}", secret_key or secrets.token_urlsafe(32))
        self.server = S3Server(home / "storage", keys, port)
        self.blueprint = self._routes()

    def where(self, url: str, host: str = "127.0.0.1") -> dict[str, str]:
        """What is where, for whoever started this; `host` is how servers reach this computer."""
        return {
            "storage": f"{url}/storage/",
            "storage_api": self.server.url,
            "storage_api_of_servers": f"http://{host}:{self.server.server_port}",
            "storage_region": REGION,
            "storage_bucket": BUCKET,
            "storage_why": why_not(),
        }

    def _routes(self) -> flask.Blueprint:
        doors = flask.Blueprint("storage", __name__, template_folder="templates")
        doors.add_url_rule("/", "page", self.page)
        Doors(self).register(doors)
        return doors

    def page(self, **more: object) -> str:
        server = self.server
        count, size = server.objects.sums()
        shown: dict[str, Any] = {
            "api": server.url,
            "region": REGION,
            "bucket": BUCKET,
            "why": why_not(),
            "count": count,
            "bytes": size,
            "objects": server.objects.all(most=SHOWN),
            "checks": [(name, words, server.state.checks(name)) for name, words in CHECKS.items()],
            "faults": server.state.faults(),
            "kinds": KINDS,
            "operations": OPERATIONS,
            "calls": [dataclasses.asdict(one) for one in server.calls.since(most=30)],
            "sums": server.calls.sums(),
        }
        return flask.render_template("storage/page.html", **{**shown, **more})

    def age(self, seconds: float) -> list[str]:
        """Lets time pass for the objects' dates."""
        count = self.server.objects.age(seconds / 3600) + self.server.uploads.age(seconds / 3600)
        return [f"{count} objects of the storage grew older"] if count else []

    def close(self) -> None:
        self.server.close()
