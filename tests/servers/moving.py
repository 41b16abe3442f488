"""A server that serves, with restore points, and machines whose agents do what they are ordered, as the protocol says."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups import actions as backups
from backups import escrow
from backups.models import Point, Repository, Stored
from engine import lease, worker
from engine.models import Run
from servers import desired
from servers.models import Agent, Replacement, Server
from servers.programs.base import ServerProgram
from servers.userdata import enrolment_token
from tests.servers import reports
from tests.servers.conftest import Vendor
from vault.sealing import SUITE

PASSWORD = "a-password-of-restic-made-on-the-host"
PROGRAMS = ("Provision", "Resize", "Rebuild", "GoBack", "Keep", "Destroy")
MESSAGES = 20_000


@dataclass
class Machine:
    """A machine's agent; its secret and its key are its own."""

    server: Server
    secret: str = field(default_factory=lambda: uuid4().hex)
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    applied: int = 0
    orders: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seal_key(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def enrol(self, token: str) -> int:
        body = {
            "server": str(self.server.pk), "token": token, "key": sha256(self.secret.encode()).hexdigest(),
            "seal_key": self.seal_key, "facts": {},
        }  # fmt: skip
        return Client().post("/agent/v1/enrol", body, content_type="application/json").status_code

    def report(self, **other: Any) -> HttpResponse:
        """Says how it is, and obeys what is answered."""
        body = {
            "applied": self.applied, "cpu": 5, "mem_used": 1, "mem_total": 4, "disk_used": 1, "disk_total": 9,
            "services": {}, "mail": reports.healthy(desired.host_name(self.server)), "backup": self._of_backups(), **other,
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.server.pk}.{self.secret}"}
        answer = Client().post(
            "/agent/v1/report", json.dumps(body), content_type="application/json", headers=headers
        )
        if answer.status_code == 200 and (order := answer.json()["desired"]):
            self._obey(json.loads(order["body"]))
        return answer

    def _of_backups(self) -> dict[str, Any]:
        jobs = [{"id": job, **said} for job, said in self.jobs.items()]
        return {"escrowed": True, "points": self.points, "jobs": jobs, "error": "", "next": 0}

    def _obey(self, order: dict[str, Any]) -> None:
        self.orders.append(order)
        self.applied = order["version"]
        for job in order["backup"]["jobs"]:
            if job["id"] not in self.jobs and (answer := self.answers.get(job["do"])):
                self.jobs[job["id"]] = answer(job)


def done(**result: Any) -> dict[str, Any]:
    return {"state": "done", "why": "", "result": result}


def failed(why: str) -> dict[str, Any]:
    return {"state": "failed", "why": why, "result": {}}


def restored(job: dict[str, Any]) -> dict[str, Any]:
    return done(point=job["point"], mailboxes=3, messages=MESSAGES, not_served=[])


class Move:
    """Alice's server, the machine that it has, the one that it will have, and workers."""

    def __init__(self, server: Server, vendor: Vendor) -> None:
        self.server, self.vendor = server, vendor
        self.old, self.new = Machine(server), self._next()
        self.old.answers["backup"] = self.back_up
        self.old_talks = self.new_talks = True
        self._make()

    def _next(self) -> Machine:
        return Machine(self.server, answers={"restore": restored})

    def _make(self) -> None:
        """As Provision leaves it, with a point that was stored an hour ago."""
        self.run(lambda: self._live("Provision") is None, acts=lambda: self._enrolled(self.old))
        made = desired.ensure_backups
        made(self.server)
        self.repository = Repository.objects.get(pk=self.server.pk)
        self._escrow()
        self.point(ago=timedelta(hours=1))
        self.server.refresh_from_db()
        self.first = (self.server.machine_id, self.server.ipv4, self.server.ipv6)

    def _escrow(self) -> None:
        order = backups.wanted(self.server.pk)
        assert order
        told = {name: base64.b64decode(order["escrow"][name]) for name in ("public", "info")}
        public = X25519PublicKey.from_public_bytes(told["public"])
        sealed = SUITE.encrypt(PASSWORD.encode(), public, info=told["info"])
        assert escrow.take(self.server.pk, sealed, order["escrow"]["id"]) == ""

    def point(self, ago: timedelta = timedelta(), messages: int = MESSAGES) -> str:
        """A restore point is in the storage; its row comes with a report."""
        name, at = sha256(uuid4().bytes).hexdigest(), timezone.now() - ago
        Stored.objects.create(
            home=self.server.pk, kind="snapshots", name=name, bytes=300, state="stored", stored_at=at
        )
        said = {
            "id": name,
            "at": at.timestamp(),
            "bytes": 10**9,
            "mailboxes": 3,
            "messages": messages,
            "manifest": "",
        }
        self.old.points.append(said)
        if ago:
            Point.objects.create(
                repository=self.repository, snapshot=name, at=at, stored_at=at, bytes=10**9, mailboxes=3,
                messages=messages,
            )  # fmt: skip
        return name

    def back_up(self, job: dict[str, Any]) -> dict[str, Any]:
        assert job["closing"] is True
        self.last = self.point()
        return done(at=time.time(), seconds=1, added=1, files=1, why="", queued=0)

    def run(
        self,
        until: Callable[[], bool],
        *,
        acts: Callable[[], None] | None = None,
        waited: int = 41,
        most: int = 300,
    ) -> None:
        """Workers work and agents act, until that is so; every wait of a step is `waited` seconds long already."""
        for _ in range(most):
            if until():
                self.server.refresh_from_db()
                return
            self.work(waited)
            (acts or self.act)()
        raise AssertionError(
            f"stuck: {[(one.program, one.step, one.error, one.args) for one in self.runs()]}"
        )

    def work(self, waited: int = 41) -> None:
        for run in self.runs():
            self.take(run, waited)
        time.sleep(0.01)  # the provider's machines turn off in their own time

    def take(self, run: Run, waited: int, steps: int = 100) -> None:
        since = timezone.now() - timedelta(seconds=waited)
        Run.objects.filter(pk=run.pk, finished_at=None).update(due_at=timezone.now(), step_since=since)
        for taken in lease.take(run_id=run.pk):
            while worker.advance(taken) and steps > 1:
                steps -= 1

    def runs(self) -> list[Run]:
        return list(
            Run.objects.filter(subject=self.server.subject, program__in=PROGRAMS, finished_at=None).order_by(
                "pk"
            )
        )

    def _live(self, program: str) -> Run | None:
        return next((one for one in self.runs() if one.program == program), None)

    def at(self, step: str) -> bool:
        run = self._live("Rebuild")
        return run is not None and run.step == step

    def before(self, step: str) -> None:
        """Works one step after the other until this one is next."""
        for _ in range(400):
            if self.at(step):
                self.server.refresh_from_db()
                return
            if run := self._live("Rebuild"):
                self.take(run, 41, steps=1)
                Run.objects.filter(pk=run.pk, held=True).update(held=False)  # its worker was stopped there
            self.act()
        raise AssertionError(f"{step} was not reached")

    def act(self) -> None:
        """Each machine that runs reports; one that was told of us first enrols."""
        self.server.refresh_from_db()
        if self.old_talks and self.is_on(self.first[0]):
            self.old.report()
        if self.new_talks and self.server.machine_id not in (None, self.first[0]):
            self._enrolled(self.new)

    def _enrolled(self, machine: Machine) -> None:
        run = self._live("Rebuild") or self._live("Provision")
        agent = Agent.objects.filter(server=self.server).first()
        if agent is None and run and self.is_on(Server.objects.get(pk=self.server.pk).machine_id):
            program = self._program(run)
            machine.enrol(enrolment_token(self.server, program._token))
        machine.report()

    def _program(self, run: Run) -> Any:
        return ServerProgram.known[run.program](run)

    def is_on(self, machine: int | None) -> bool:
        return any(one["id"] == machine and one["state"] == "running" for one in self.vendor.machines())

    def machines(self) -> dict[str, tuple[int, str]]:
        return {one["name"]: (one["id"], one["ip"]) for one in self.vendor.machines()}

    @property
    def row(self) -> Replacement:
        return Replacement.objects.filter(server=self.server).latest("pk")

    def is_over(self) -> bool:
        return self.row.finished_at is not None
