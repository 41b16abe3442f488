"""The product as it runs, made of secrets that a test knows, and a browser that keeps every answer."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import environ
import psycopg
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import connection
from psycopg.sql import SQL, Identifier

from devtools.environment import product_env
from devtools.services import free_port
from tests.integration.mail_product import PARTS
from tests.integration.planted_front import Front, front
from tests.integration.stack import Kept, _prepare, _wait
from tests.integration.world import ROOT, Sandbox

OF_WORKERS = ("SIGNING_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE")
PATIENCE = 300.0  # seconds, on a busy machine; a worker that was killed starts again within
TOKEN = re.compile(r"/([0-9a-f]{64})\b")
CODE = re.compile(r"\b[B-Z]{4}-[B-Z]{4}\b")


class Site:
    """Web, worker and clock, with a stand-in of Amazon that can be told to misbehave."""

    def __init__(self, home: Path, env: dict[str, str], sandbox: Sandbox, door: Front) -> None:
        self.home, self.env, self.sandbox, self.front = home, env, sandbox, door
        self.url = env["BASE_URL"]
        self.running: dict[str, Kept] = {}

    def start(self) -> None:
        for name, command in PARTS.items():
            less = () if name == "worker" else OF_WORKERS
            env = {key: value for key, value in self.env.items() if key not in less}
            self.running[name] = Kept(self.home, env, *command)
        _wait(f"{self.url}/healthz")

    def stop(self) -> None:
        while self.running:
            self.running.popitem()[1].end()

    def kill(self, name: str) -> None:
        """By SIGKILL; it is started again by itself."""
        self.running[name].process.kill()

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """Whatever needs this table breaks inside."""
        self._rename(table, f"{table}_away")
        try:
            yield
        finally:
            self._rename(f"{table}_away", table)

    def _rename(self, table: str, name: str) -> None:
        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as link:
            link.execute(SQL("ALTER TABLE {} RENAME TO {}").format(Identifier(table), Identifier(name)))

    def letter(self, to: str, word: str) -> dict[str, Any]:
        """The newest letter to somebody in whose text the word stands; waits for it."""
        return eventually(
            lambda: next((one for one in self.sandbox.letters(to) if word in one["text"]), None), word
        )


class Browser:
    """Keeps all that it is answered, in `pages`; each name begins with the words that a test gave it."""

    pages: list[tuple[str, bytes]] = []

    def __init__(self, site: Site) -> None:
        self.site, self.session = site, requests.Session()
        self.session.headers["Connection"] = "close"

    def get(self, path: str, name: str, **more: Any) -> requests.Response:
        return self._keep(name, self.session.get(self.site.url + path, timeout=60, **more))

    def post(self, path: str, name: str, data: Any = None, **more: Any) -> requests.Response:
        """A form as the browser sends it, with the token against forged ones; a text or bytes go as they are."""
        if isinstance(data, dict):
            data = {**data, "csrfmiddlewaretoken": self.csrf}
        headers = {"X-CSRFToken": self.csrf, **more.pop("headers", {})}
        url = self.site.url + path
        return self._keep(name, self.session.post(url, data, headers=headers, timeout=60, **more))

    @property
    def csrf(self) -> str:
        return self.session.cookies.get("csrf") or ""

    def _keep(self, name: str, answer: requests.Response) -> requests.Response:
        for one in [*answer.history, answer]:
            place = f"page:{len(self.pages)} {name} {one.status_code}"
            heads = dict(one.headers)
            self.pages.append((f"{place} cookie", heads.pop("Set-Cookie", "").encode()))
            head = "\n".join(f"{key}: {value}" for key, value in heads.items())
            self.pages.append((place, head.encode() + b"\n\n" + one.content))
        return answer

    def ask_to_sign_in(self, email: str) -> tuple[str, str]:
        """The token and the code of the letter."""
        self.get("/sign-in", "sign-in")
        self.post("/sign-in", "sign-in asked", {"email": email, "next": ""})
        text = self.site.letter(email, "/sign-in/link/")["text"]
        token, code = TOKEN.search(text), CODE.search(text)
        assert token
        assert code
        return token[1], code[0]


def eventually(there: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := there():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} never came")


@contextmanager
def at_work_in(url: str) -> Iterator[None]:
    """This process' Django works in the product's database meanwhile."""
    was = dict(connection.settings_dict)
    _turn_to({**was, **environ.Env.db_url_config(url)})
    try:
        yield
    finally:
        _turn_to(was)


def _turn_to(settings: dict[str, Any]) -> None:
    connection.close()
    connection.close_pool()
    options = {key: value for key, value in settings.get("OPTIONS", {}).items() if key != "pool"}
    connection.settings_dict.update(
        settings | {"OPTIONS": options | {"pool": {"min_size": 1, "max_size": 2}}}
    )


@contextmanager
def site(home: Path, *, database_url: str, broker_url: str, secrets: dict[str, str]) -> Iterator[Site]:
    """Everything up; `secrets` are those of the environment."""
    with ExitStack() as after:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        folder = home / "secrets"
        folder.mkdir(mode=0o700)
        (folder / "values.json").write_text(json.dumps(secrets))
        env = product_env(home, database_url=database_url, broker_url=broker_url, base_url=url, signs=True)
        env |= {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "BIND": f"127.0.0.1:{port}",
            "ENGINE_TICK_SECONDS": "1",
            "ENGINE_LEASE_SECONDS": "3",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "INFO",
        }
        hook = f"{url}/hooks/gumroad/{env['GUMROAD_WEBHOOK_SECRET']}"
        sandbox = Sandbox(home / "sandbox", hook, control=url, env=env)
        after.callback(sandbox.stop)
        door = after.enter_context(front(sandbox.where["aws"]))
        env |= sandbox.settings() | {"AWS_API_URL": door.url}
        _prepare(env)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, env=env, cwd=ROOT, check=True)
        one = Site(home, env, sandbox, door)
        after.callback(one.stop)
        one.start()
        yield one


def of_environment(site: Site) -> list[tuple[str, bytes]]:
    """What the processes were given, the private keys as text and as their bytes."""
    names = ("SECRET_KEY", "HETZNER_TOKEN", "GUMROAD_TOKEN", "GUMROAD_WEBHOOK_SECRET")
    found = [(name, site.env[name].encode()) for name in names]
    for name in ("SIGNING_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE"):
        with open(site.env[name], "rb") as file:
            pem = file.read()
        key: Any = load_pem_private_key(pem, None)
        found += [(f"{name}: body", pem.splitlines()[1]), (f"{name}: bytes", key.private_bytes_raw())]
    return found
