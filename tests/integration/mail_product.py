"""The whole product and its outside world, with real Debian hosts: web, worker, clock and gate are processes that can be ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier

from devtools.environment import product_env
from devtools.keys import STORAGE
from devtools.services import free_port
from tests.integration.stack import Kept, _prepare, _wait
from tests.integration.world import ROOT, Sandbox

DISK = 1024  # MiB of the server's disk
CANARY_EVERY = 20  # seconds
# What the test's own process has of the product, so that it can sign Alice in, read what was signed and open what was sealed.
SHARED = (
    "SECRET_KEY",
    "SIGNING_KEY_FILE",
    "SIGNING_PUBLIC_KEYS_FILE",
    "VAULT_PRIVATE_KEYS_FILE",
    "VAULT_PUBLIC_KEYS_FILE",
    "MAIL_FROM",
    "STAFF_MAIL",
)

PARTS = {
    "web": ("gunicorn", "-c", "deploy/gunicorn.conf.py"),
    "worker": ("celery", "-A", "mailat", "worker", "--pool", "threads", "-c", "4", "-l", "INFO"),
    "beat": ("celery", "-A", "mailat", "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile="),
}
Part = tuple[tuple[str, ...], dict[str, str]]  # a command, and its environment


class Product:
    """Where things are; `away` is the control plane being gone for a while."""

    def __init__(
        self, home: Path, env: dict[str, str], sandbox: Sandbox, port: int, backups: bool = False
    ) -> None:
        self.home, self.env, self.sandbox, self.port = home, env, sandbox, port
        self.site = f"http://127.0.0.1:{port}"
        self.parts: dict[str, Part] = {name: (words, env) for name, words in PARTS.items()}
        if backups:
            self.parts |= behind_a_front(env, port)
        self._running: dict[str, Kept] = {}

    def start(self, *names: str) -> None:
        """These parts of it, or all; what runs already goes on."""
        for name in names or self.parts:
            if name not in self._running:
                words, env = self.parts[name]
                self._running[name] = Kept(self.home, env, *words)
        if "web" in self._running:
            _wait(f"{self.site}/healthz")

    def stop(self) -> None:
        while self._running:
            self._running.popitem()[1].end()

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """One of them, to be disturbed; it is started again when it ends."""
        return self._running[name].process

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """One of them is gone for a while."""
        self._running.pop(name).end()
        try:
            yield
        finally:
            self.start(name)

    @contextmanager
    def away(self) -> Iterator[None]:
        """No part of it runs, unless it is started inside."""
        self.stop()
        try:
            yield
        finally:
            self.start()


def behind_a_front(env: dict[str, str], port: int) -> dict[str, Part]:
    """As bin/dev has them: what is for the storage goes to the gate, and the web process has no key of the storage."""
    web, gate = free_port(), free_port()
    plain = {name: value for name, value in env.items() if name not in STORAGE}
    keyed = env | {"ROOT_URLCONF": "mailat.gate_urls", "WEB_PROCESSES": "1", "BIND": f"127.0.0.1:{gate}"}
    return {
        "web": (PARTS["web"], plain | {"BIND": f"127.0.0.1:{web}"}),
        "gate": (PARTS["web"], keyed),
        "front": (("devtools.front", str(port), str(web), str(gate)), plain),
    }


@contextmanager
def database() -> Iterator[str]:
    """A database of its own, where this process is at work as well as those of the product; yields its URL."""
    server, name = os.environ["DATABASE_URL"], f"town_{os.getpid()}"
    was = connection.settings_dict["NAME"]
    _tell(server, "CREATE DATABASE {}", name)
    try:
        _work_in(name)
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))  # the query may say where its socket is
    finally:
        _work_in(was)
        _tell(server, "DROP DATABASE {} WITH (FORCE)", name)


def _work_in(name: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


def _tell(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(SQL(statement).format(Identifier(name)))  # type: ignore[arg-type]


class Outside(Sandbox):
    """The outside world with real hosts in it."""

    hosts = "debian"


def backed_up(where: dict[str, Any]) -> dict[str, str]:
    """Settings by which servers have backups; the storage's key is a secret of the installation."""
    return {
        "STORAGE_URL": where["storage_api"],
        "STORAGE_SIGN_URL": where["storage_api_of_servers"],
        "STORAGE_REGION": where["storage_region"],
        "STORAGE_BUCKET": where["storage_bucket"],
    }


@contextmanager
def product(home: Path, database_url: str, *, backups: bool = False, disk: int = DISK) -> Iterator[Product]:
    """Everything up, with hosts whose disks are small and canaries that fly often."""
    with ExitStack() as after:
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        env = {
            **product_env(home, database_url=database_url, base_url=site, signs=True),
            **{name: os.environ[name] for name in SHARED},
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "MAILAT_CACHE": os.environ.get("MAILAT_CACHE") or str(ROOT / "var/cache"),
            "SANDBOX_DISK_MIB": str(disk),
            "IMAGE_BAKING": "true",  # the first time on a computer; later it is in the cache
            "SERVER_DOMAIN": "servers.test",
            "CANARY_EVERY": str(CANARY_EVERY),
            "ENGINE_TICK_SECONDS": "1",
            "BIND": f"127.0.0.1:{port}",
        }
        sandbox = Outside(home / "sandbox", "", control=site, env=env)
        after.callback(sandbox.stop)
        env |= sandbox.settings() | {
            "AGENT_URL": f"http://{sandbox.where['agent_host']}:{port}",
            "ACME_DIRECTORY_URL": sandbox.where["acme"],
        }
        env |= backed_up(sandbox.where) if backups else {}
        _prepare(env)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, env=env, cwd=ROOT, check=True)
        one = Product(home, env, sandbox, port, backups)
        after.callback(one.stop)
        one.start()
        yield one
