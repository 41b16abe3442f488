"""The product as it runs: web, worker and beat as processes, with a database and a broker of their own."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from devtools.environment import product_env
from devtools.services import free_port
from tests.integration.world import ROOT, Sandbox

LONGEST = 1500.0  # seconds; the driver gives up by itself before, and says what it waited for
START_SECONDS = 180.0  # until a site answers, on a busy machine


class Stack:
    """Where things are, and the driver that leads one life through them."""

    def __init__(self, home: Path, env: dict[str, str]) -> None:
        self.home, self.env = home, env

    def drive(
        self, meanwhile: Callable[[subprocess.Popen[str]], None] = lambda driver: None
    ) -> dict[str, Any]:
        """One life, led by a process of its own; `meanwhile` may disturb it. Returns what the life left behind."""
        command = [sys.executable, "-m", "tests.integration.drive"]
        log = (self.home / "driver.log").open("w+")
        driver = subprocess.Popen(
            command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            meanwhile(driver)
            out, _ = driver.communicate(timeout=LONGEST)
        finally:
            driver.kill()
        log.seek(0)
        assert driver.returncode == 0, log.read()[-3000:]
        return dict(json.loads(out.splitlines()[-1]))


@contextmanager
def stack(home: Path, *, database_url: str, broker_url: str) -> Iterator[Stack]:
    """Everything up, with a tick every half second."""
    with ExitStack() as after:
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        env = {
            **product_env(home, database_url=database_url, broker_url=broker_url, base_url=site, signs=True)
        }
        env |= {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ENGINE_TICK_SECONDS": "1",
            "ENGINE_LEASE_SECONDS": "5",
        }
        sandbox = Sandbox(
            home / "sandbox", f"{site}/hooks/gumroad/{env['GUMROAD_WEBHOOK_SECRET']}", control=site, env=env
        )
        after.callback(sandbox.stop)
        env |= sandbox.settings()
        _prepare(env)
        _keep(after, home, env | {"BIND": f"127.0.0.1:{port}"}, "gunicorn", "-c", "deploy/gunicorn.conf.py")
        _keep(
            after, home, env, "celery", "-A", "mailat", "worker", "--pool", "threads", "-c", "4", "-l", "INFO"
        )
        _keep(after, home, env, "celery", "-A", "mailat", "beat", "-s", str(home / "beat"), "--pidfile=")
        _wait(f"{site}/healthz")
        yield Stack(home, env | {"SANDBOX_URL": sandbox.url})


def _prepare(env: dict[str, str]) -> None:
    for command in (["manage.py", "migrate", "-v0"], ["-m", "agent.build", env["AGENT_BUILD_DIR"]]):
        subprocess.run([sys.executable, *command], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


class Kept:
    """A process that is started again when it ends by itself, as compose and bin/dev do.

    Celery's worker ends where Redis goes away at a bad moment (kombu 5.7 loses its connection's parameters while it closes).
    """

    def __init__(self, home: Path, env: dict[str, str], module: str, *words: str) -> None:
        self.command, self.env = [sys.executable, "-m", module, *words], env
        self.log = (home / f"{module}-{words[2] if len(words) > 2 else 'web'}.log").open("a")
        self.ending = threading.Event()
        self.process = self._start()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, env=self.env, cwd=ROOT, stdout=self.log, stderr=self.log)

    def _watch(self) -> None:
        while not self.ending.wait(0.2):
            if self.process.poll() is not None and not self.ending.is_set():
                self.process = self._start()

    def end(self) -> None:
        self.ending.set()
        self.watcher.join()  # or it might start another one now
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _keep(after: ExitStack, home: Path, env: dict[str, str], module: str, *words: str) -> None:
    after.callback(Kept(home, env, module, *words).end)


def _wait(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5)  # noqa: S310
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")
