"""Makes snapshots in the background, and finds those that earlier sandboxes have left in the cache."""

from __future__ import annotations

import json
import threading

from sandbox.hetzner import actions
from sandbox.hetzner.machines import Machines
from sandbox.hetzner.store import Store, now
from sandbox.hosts import HostsUnavailable
from sandbox.hosts.base import About

GIGABYTE = 1024**3
COPIED = "description, labels, server, server_name, architecture, disk_size, created"


class Snapshots:
    """Each is `creating` until the disk is copied; one that cannot be made vanishes, as at the vendor."""

    def __init__(self, store: Store, machines: Machines) -> None:
        self._store, self._machines = store, machines

    def make(self, image_id: int, action_id: int, doomed: bool = False) -> None:
        work = threading.Thread(target=self._make, args=(image_id, action_id, doomed), daemon=True)
        work.start()

    def _make(self, image_id: int, action_id: int, doomed: bool) -> None:
        about = self._about(image_id)
        copied = None
        with self._machines.held(about["server"]):
            if not doomed:
                copied = self._copy(image_id, about)
        if not self._machines.hosts.closed:  # else it is only the sandbox that ends: the next one tries again
            self._settle(image_id, action_id, copied)

    def _about(self, image_id: int) -> About:
        """What another sandbox must know of it; the image's size follows from its files."""
        with self._store.reading() as db:
            row = db.execute(f"select {COPIED} from images where id = ?", [image_id]).fetchone()
        return {**dict(row), "labels": json.loads(row["labels"])}

    def _copy(self, image_id: int, about: About) -> int | None:
        try:
            return self._machines.hosts.snapshot(about["server"], image_id, about)
        except (HostsUnavailable, OSError):
            return None

    def _settle(self, image_id: int, action_id: int, copied: int | None) -> None:
        with self._store.writing() as db:
            if copied is None:
                db.execute("update images set gone = ? where id = ?", [now(), image_id])
            else:
                made = "update images set status = 'available', image_size = ? where id = ?"
                db.execute(made, [round(copied / GIGABYTE, 3), image_id])
            actions.finish(db, action_id, actions.FAILED if copied is None else None)

    def resume(self) -> None:
        """Takes up after a restart what was being made, and adopts what others have left."""
        with self._store.reading() as db:
            running = db.execute(
                "select * from actions where command = 'create_image' and status = 'running'"
            )
            rows = running.fetchall()
        for row in rows:
            image = next(one["id"] for one in json.loads(row["resources"]) if one["type"] == "image")
            self.make(image, row["id"])
        for key, about in self._machines.hosts.remembered().items():
            self._adopt(key, about)

    def _adopt(self, key: str, about: About) -> None:
        """Once only: one that was deleted here stays away. It is shown when it is whole."""
        if not about.keys() >= set(COPIED.split(", ")):
            return
        values = {**about, "labels": json.dumps(about["labels"])}
        with self._store.writing() as db:
            known = "select 1 from images where server_name = :server_name and created = :created"
            if db.execute(known, values).fetchone():
                return
            row = db.execute(
                f"insert into images ({COPIED}, status, found, gone) values"
                " (:description, :labels, :server, :server_name, :architecture, :disk_size, :created, 'available', 1, '')"
                " returning id",
                values,
            ).fetchone()
        if self._machines.hosts.adopt(key, row["id"]):
            with self._store.writing() as db:
                db.execute("update images set gone = null where id = ?", [row["id"]])
