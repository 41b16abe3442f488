"""For `bin/bench backup`: storage and gate as processes, a server's rows, and the host whose mail is backed up."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.common import set_up
from devtools.paths import ROOT
from devtools.services import free_port

OWN = "what-the-agent-of-the-bench-made"  # its half of the bearer
ROOM = 10**12  # bytes
KEEP = timedelta(days=7)
REST = 3600  # seconds


@dataclass(frozen=True)
class Place:
    """Where storage and gate are, and the gate's process."""

    storage: dict[str, str]
    gate: str
    gate_process: int

    @property
    def s3(self) -> str:
        """As restic names a bucket."""
        return f"s3:{self.storage['storage_api']}/{self.storage['storage_bucket']}"

    def moved(self) -> int:
        """Bytes that went to the storage or came from it so far."""
        with urllib.request.urlopen(f"{self.storage['storage']}api/calls", timeout=30) as answer:  # noqa: S310
            sums = json.load(answer)["sums"]
        return int(sums.get("bytes_in", 0) + sums.get("bytes_out", 0))

    def gate_peak(self) -> int:
        """KiB that the gate's worker had at most."""
        children = Path(f"/proc/{self.gate_process}/task/{self.gate_process}/children").read_text().split()
        return max(peak(int(child)) for child in children)


def peak(process: int) -> int:
    """KiB of memory at most, see proc(5)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@contextmanager
def place(home: Path) -> Iterator[Place]:
    """Django, the sandbox' storage with its bucket, and the gate as production has it, for as long as the block."""
    with _storage(home / "storage") as where:
        os.environ |= {
            "STORAGE_URL": where["storage_api"],
            "STORAGE_REGION": where["storage_region"],
            "STORAGE_BUCKET": where["storage_bucket"],
        }
        set_up()
        _ensure_bucket()
        with _gate() as (url, process):
            yield Place(where, url, process)


@contextmanager
def _storage(home: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "sandbox.storage", "--home", str(home)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert running.stdout
        yield dict(json.loads(running.stdout.readline()))
    finally:
        running.terminate()
        running.wait()


@contextmanager
def _gate() -> Iterator[tuple[str, int]]:
    port = free_port()
    env = {
        **os.environ,
        "ROOT_URLCONF": "mailat.gate_urls",
        "BIND": f"127.0.0.1:{port}",
        "WEB_PROCESSES": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
    running = subprocess.Popen(command, env=env, stdout=sys.stderr, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/healthz")
        yield url, running.pid
    finally:
        running.terminate()
        running.wait()


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def server() -> tuple[UUID, dict[str, Any]]:
    """A server with an agent that backs up; its id, and what its orders say of backups."""
    from accounts.models import Account
    from backups import actions
    from servers.models import Agent, Server

    account = Account.objects.create(name="Bench")
    made = Server.objects.create(account=account, name=f"s{uuid4().hex[:8]}", plan="basic", place="fsn1")
    Agent.objects.create(server=made, key_hash=sha256(OWN.encode()).hexdigest(), seal_key="x")
    home = UUID(str(made.pk))
    actions.ensure_repository(account=account.pk, home=home, keep=KEEP, room=ROOM, by="bench")
    order = actions.wanted(home)
    assert order
    return home, {**order, "every": REST}


def hand_over(home: UUID, seal_key: bytes) -> dict[str, Any]:
    """What the orders of the same server's new hardware say."""
    from backups import actions

    actions.hand_over(home=home, seal_key=base64.b64encode(seal_key).decode(), by="bench", why="a benchmark")
    order = actions.wanted(home)
    assert order
    return order


def _ensure_bucket() -> None:
    from backups import bucket

    bucket.ensure()
