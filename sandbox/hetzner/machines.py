"""Makes the machines follow what the API promised, in the background, and ends the actions when they have."""

from __future__ import annotations

import collections
import dataclasses
import sqlite3
import threading
import time

from sandbox.hetzner import actions, catalog, ties
from sandbox.hetzner.faults import Faults
from sandbox.hetzner.store import Store
from sandbox.hosts import Hosts, HostsUnavailable, Machine

LOOK_EVERY = 2.0  # seconds between two looks at which machines still run


@dataclasses.dataclass(frozen=True)
class Sight:
    """A machine as the control page shows it; `user_data` only says whether there was any."""

    id: int
    name: str
    kind: str
    state: str
    ip: str
    server_type: str
    location: str
    created: str
    image: str
    user_data: bool


class Machines:
    """One piece of work at a time for each machine; whatever was asked last holds in the end."""

    def __init__(self, store: Store, faults: Faults, hosts: Hosts) -> None:
        self.hosts = hosts
        self._store, self._faults = store, faults
        self._locks: dict[int, threading.Lock] = collections.defaultdict(threading.Lock)

    def resume(self) -> None:
        """Takes up after a restart: what should run is started, what was being deleted is deleted."""
        threading.Thread(target=self._resume, name="resume", daemon=True).start()

    def _resume(self) -> None:
        with self._store.reading() as db:
            living = db.execute("select * from servers where gone is null order by id").fetchall()
            leaving = db.execute(
                "select distinct server from actions where status = 'running' and command = 'delete_server'"
            ).fetchall()
        self.hosts.forget_others({row["id"] for row in living})
        for row in leaving:
            self.take_down(row["server"])
        self._restore([row for row in living if row["status"] == "running"])
        for row in living:
            if row["status"] == "initializing":
                self.bring_up(row["id"])
        self._watch()

    def _restore(self, rows: list[sqlite3.Row]) -> None:
        self.hosts.restore([_machine(row) for row in rows])

    def _watch(self) -> None:
        """A machine that ended by itself is off, as the vendor would say."""
        while not self.hosts.closed:
            time.sleep(LOOK_EVERY)
            with self._store.reading() as db:
                ids = [
                    row["id"]
                    for row in db.execute("select id from servers where status = 'running' and gone is null")
                ]
            for one in ids:
                with self._locks[one]:
                    if not self.hosts.alive(one) and not self.hosts.closed:
                        self._note(one, "off")

    def _note(self, server_id: int, status: str) -> None:
        with self._store.writing() as db:
            db.execute("update servers set status = ? where id = ? and gone is null", [status, server_id])

    def bring_up(self, server_id: int) -> None:
        self._later(self._bring_up, server_id)

    def _later(self, work: collections.abc.Callable[[int], None], server_id: int) -> None:
        threading.Thread(target=work, args=(server_id,), name=f"machine-{server_id}", daemon=True).start()

    def _bring_up(self, server_id: int) -> None:
        if slow := self._faults.take("slow", "boot"):
            time.sleep(slow.seconds)
        with self._locks[server_id]:
            row = self._row(server_id)
            if row is None or self.hosts.closed:
                return
            booted = not row["doom"] and self._booted(row)
            if booted:
                self._succeed(server_id)
            elif not self.hosts.closed:  # else it is only the sandbox that ends: the next one tries again
                self._fail(server_id)

    def _row(self, server_id: int) -> sqlite3.Row | None:
        with self._store.reading() as db:
            return db.execute("select * from servers where id = ? and gone is null", [server_id]).fetchone()

    def _booted(self, row: sqlite3.Row) -> bool:
        machine = _machine(row)
        try:
            self.hosts.boot(machine.id, machine.name, machine.ipv4, machine.user_data, machine.image)
        except (HostsUnavailable, OSError):
            return False
        return True

    def _fail(self, server_id: int) -> None:
        """The vendor takes a server back whose creation failed: it was there, briefly, and then it is not."""
        self.hosts.stop(server_id)
        with self._store.writing() as db:
            actions.finish_all(db, server_id, actions.FAILED)
            ties.part(db, server_id)
            db.execute("update servers set gone = created, user_data = null where id = ?", [server_id])

    def _succeed(self, server_id: int) -> None:
        with self._store.writing() as db:
            db.execute("update servers set status = 'running' where id = ? and gone is null", [server_id])
            for command in ("create_server", "start_server"):
                self._finish(db, server_id, command)

    def _finish(self, db: sqlite3.Connection, server_id: int, command: str) -> None:
        find = "select id from actions where server = ? and command = ? and status = 'running'"
        for row in db.execute(find, [server_id, command]).fetchall():
            actions.finish(db, row["id"])

    def leave_off(self, server_id: int) -> None:
        """Creation without a start is done at once."""
        with self._store.writing() as db:
            db.execute("update servers set status = 'off' where id = ?", [server_id])
            self._finish(db, server_id, "create_server")

    def take_down(self, server_id: int) -> None:
        self._later(self._take_down, server_id)

    def _take_down(self, server_id: int) -> None:
        with self._locks[server_id]:
            self.hosts.stop(server_id)
            with self._store.writing() as db:
                actions.finish_all(db, server_id)

    def power(self, server_id: int, on: bool) -> bool:
        """Cuts a machine's power or gives it back, keeping its disk; says whether there is such a machine."""
        with self._locks[server_id]:
            row = self._row(server_id)
            if row is None:
                return False
            if not on:
                self.hosts.halt(server_id)
            running = on and self._booted(row)
        self._note(server_id, "running" if running else "off")
        return True

    def press(self, server_id: int) -> None:
        """Asks the machine to turn itself off; when it has, or never will, is its own business."""
        with self._locks[server_id]:
            if self._row(server_id):
                self.hosts.shutdown(server_id)

    def held(self, server_id: int) -> threading.Lock:
        """To be held while something is done to the machine."""
        return self._locks[server_id]

    def sights(self) -> list[Sight]:
        with self._store.reading() as db:
            rows = db.execute("select * from servers where gone is null order by id").fetchall()
        return [self._sight(row) for row in rows]

    def _sight(self, row: sqlite3.Row) -> Sight:
        known = {name: row[name] for name in ("id", "name", "location", "created")}
        seen = {
            "kind": self.hosts.kind,
            "state": row["status"],
            "ip": row["ipv4"],
            "server_type": row["type"],
            "image": _image(row),
        }
        return Sight(**known, **seen, user_data=bool(row["user_data"]))


def _plain(row: sqlite3.Row) -> str | None:
    """The name of the vendor's image that the server began with, or none where it was a snapshot."""
    return next((one["name"] for one in catalog.IMAGES if one["id"] == row["image"]), None)


def _image(row: sqlite3.Row) -> str:
    return _plain(row) or f"snapshot {row['image']}"


def _machine(row: sqlite3.Row) -> Machine:
    image = None if _plain(row) else row["image"]
    return Machine(row["id"], row["name"], row["ipv4"], row["user_data"] or "", image)
