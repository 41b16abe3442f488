"""A world for tests: the sandbox as a real process, the database, and the people and machines that act in it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db.models import F
from django.utils import timezone

from engine.models import Run
from servers.models import Agent, Destruction, Pause, Server
from servers.userdata import enrolment_token
from tests.environment import DEFAULTS
from tests.servers.reports import healthy
from vault import signing
from vault.signing import Signature

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 300.0  # for hosts to be shut down, on a busy machine


class Sandbox:
    """The outside world; `post` and `get` speak to its doors for tests."""

    process: subprocess.Popen[str] | None = None
    hosts = "none"

    def __init__(
        self,
        home: Path,
        ping_url: str,
        *,
        control: str = "http://127.0.0.1:1",
        env: dict[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "sandbox", "--home", str(home), "--port", "0", "--smtp-port", "0"]
        command += ["--hosts", self.hosts, "--control-url", control, "--ping-delay", "0.01"]
        env = {**(env or os.environ), "GUMROAD_PING_URL": ping_url}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.where = self._ready()
        self.url, self.control = str(self.where["url"]), control

    def _ready(self) -> dict[str, Any]:
        assert self.process
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError("the sandbox did not start")

    @classmethod
    def at(cls, url: str, control: str) -> "Sandbox":
        """One that somebody else started."""
        sandbox = cls.__new__(cls)
        sandbox.url, sandbox.control = url, control
        return sandbox

    def settings(self) -> dict[str, str]:
        """Where the product finds it."""
        return {
            "AWS_API_URL": self.where["aws"],
            "HETZNER_API_URL": self.where["hetzner_api"],
            "GUMROAD_API_URL": self.where["gumroad_api"],
            "GUMROAD_PRODUCT_URL": self.where["store"],
            "EMAIL_URL": f"smtp://{self.where['smtp']}",
        }

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=STOP_SECONDS)

    def post(self, path: str, **body: Any) -> Any:
        return self._call("POST", path, json.dumps(body).encode())

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        kind = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=kind)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def machines(self) -> list[dict[str, Any]]:
        return list(self.get("/hetzner/sandbox/machines")["machines"])

    def calls(self) -> list[dict[str, Any]]:
        return list(self.get("/hetzner/sandbox/calls")["calls"])

    def machines_made(self) -> int:
        """How many creates Hetzner has carried out since the log was cleared."""
        return sum(call["operation"] == "create_server" and call["status"] == 201 for call in self.calls())

    def letters(self, to: str) -> list[dict[str, Any]]:
        return list(self.get(f"/mail/api/messages?to={to}")["messages"])


class Workers:
    """Forks workers that may be told where to die."""

    def __init__(self, sandbox: Sandbox, database_url: str, lease: int = 5) -> None:
        env = {
            **os.environ,
            **sandbox.settings(),
            "HETZNER_PATIENCE": "0.5",
            "DJANGO_SETTINGS_MODULE": "mailat.settings",
            "DATABASE_URL": database_url,
            "ENGINE_LEASE_SECONDS": str(lease),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.zygote"],
            env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def work(self, step: str | None = None, point: str = "begin") -> bool:
        """Works what is due; true if the worker was killed on the way."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"step": step, "point": point}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        assert not answer["failed"], "the worker failed"
        return bool(answer["killed"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the workers' parent is gone"
        return dict(json.loads(line))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def fault(sandbox: Sandbox, **what: Any) -> Iterator[None]:
    """Hetzner behaves badly inside."""
    sandbox.post("/hetzner/sandbox/faults", **what)
    try:
        yield
    finally:
        sandbox.delete("/hetzner/sandbox/faults")


def pretend_agents(sandbox: Sandbox) -> None:
    """What the agents of the machines that run would do once: enrol with the token that they were given, then report."""
    running = {machine["id"] for machine in sandbox.machines() if machine["state"] == "running"}
    for server in Server.objects.filter(gone_at=None, machine_id__in=running):
        pretend_agent(sandbox.control, server)


def pretend_agent(control: str, server: Server) -> None:
    """Speaks the protocol for one server, over HTTP as an agent does; what fails is tried again at the next round."""
    secret = f"secret-of-{server.machine_id}"
    if not Agent.objects.filter(server=server).exists():
        run = Run.objects.filter(subject=server.subject, program="Provision").latest("id")
        body = {
            "server": str(server.pk), "token": enrolment_token(server, run.args.get("attempt", 1)),
            "key": sha256(secret.encode()).hexdigest(), "seal_key": "AAAA", "facts": {"os": "none"},
        }  # fmt: skip
        tell(f"{control}/agent/v1/enrol", body)
    _report(control, server, f"Bearer {server.pk}.{secret}")


def _report(control: str, server: Server, bearer: str) -> None:
    """Reports, obeys what was ordered if the signature is right, and reports again."""
    applied = Agent.objects.filter(server=server).values_list("applied_version", flat=True).first() or 0
    for _ in range(2):
        body = {
            "at": time.time(), "seq": 1, "agent": "test", "applied": applied, "refused": None, "boot_id": "x", "cpu": 3.0,
            "mem_used": 1e9, "mem_total": 4e9, "swap_used": 0, "disk_used": 2e9, "disk_total": 40e9, "load1": 0.1,
            "net_rx": 10.0, "net_tx": 20.0, "uptime": 60, "services": {"cron.service": "active"}, "mail": healthy(),
        }  # fmt: skip
        desired = tell(f"{control}/agent/v1/report", body, Authorization=bearer).get("desired")
        if desired is None:
            break
        assert signing.is_valid("desired", desired["body"], Signature(desired["key"], desired["signature"]))
        applied = json.loads(desired["body"])["version"]


def tell(url: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The answer, or nothing where there was none or a refusal."""
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))
    except OSError:
        return {}


def let_time_pass(*, long: bool = False) -> None:
    """Every nap is over, and every lease of a worker that died: waking early must never do harm.

    `long`: so long that whoever waits begins to wonder.
    """
    now = timezone.now() - timedelta(seconds=1)
    live = Run.objects.filter(finished_at=None)
    live.update(due_at=now)
    Pause.objects.update(until=now)
    if long:
        live.update(step_since=now - timedelta(minutes=4))


def let_days_pass(days: float) -> None:
    """As the sandbox's clock does it: what is written down grows older."""
    by = timedelta(days=days)
    Destruction.objects.update(said_at=F("said_at") - by, due_at=F("due_at") - by)
    Run.objects.filter(finished_at=None).update(due_at=F("due_at") - by, step_since=F("step_since") - by)


def database_url() -> str:
    """The test database, as a process beside the test must be told it."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


assert DEFAULTS  # the environment must be set before Django reads it
