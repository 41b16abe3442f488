"""The run itself: what is started, in which order, with which settings."""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools import dev_world, keys
from devtools.dev_world import World
from devtools.environment import product_env
from devtools.paths import ROOT, VENV_PYTHON
from devtools.postgres import Postgres
from devtools.run import run
from devtools.say import Failed, box, say, stage
from devtools.services import own_port
from devtools.supervisor import Process, Supervisor

SITE_SECONDS = 180.0


@dataclass
class Database:
    """Our Postgres, as something that is kept running."""

    server: Postgres
    name: str = "postgres"
    used_by_others: bool = True

    @property
    def log(self) -> Path:
        return self.server.log

    def start(self) -> None:
        self.server.start()

    def alive(self) -> bool:
        return self.server.running()

    def ask_to_end(self) -> None:
        """Nothing before its users are gone: `end` waits for the clean stop."""

    def end(self) -> None:
        self.server.stop()


class Run:
    """One bin/dev from its start to its end."""

    def __init__(self, home: Path, options: Namespace) -> None:
        self.home, self.options = home, options
        self.logs = home / "logs"
        self.supervisor = Supervisor()
        self.port = own_port(options.port)
        self.site = f"http://localhost:{self.port}"  # by name: browsers make passkeys for no IP address
        self.by_address = f"http://127.0.0.1:{self.port}"  # as the sandbox reaches us
        self.database_url = os.environ.get("DATABASE_URL", "")
        self.broker_url = os.environ.get("BROKER_URL") or f"filesystem://{home / 'broker'}"

    def start(self) -> None:
        self._turn_logs()
        self.keys = keys.ensure(self.home / "secrets")
        self.hosts = dev_world.settle_hosts(self.options.hosts)
        self._start_database()
        self.world = self._start_world()
        self._prepare_product()
        self._start_product()
        self._wait_for_site()

    def _turn_logs(self) -> None:
        """The last run's logs are kept as *.log.1."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.rename(log.with_suffix(".log.1"))

    def _start_database(self) -> None:
        if self.database_url:
            say(f"  {'Postgres':<34}   given by DATABASE_URL")
            return
        with stage("Postgres") as line:
            server = Postgres(self.home)
            line.note = (
                f"{server.binaries.major}, {'from a package' if server.binaries.packaged else 'installed'}"
            )
            self.supervisor.keep(Database(server))
            self.database_url = server.url()

    def _start_world(self) -> World:
        with stage("Sandbox (Gumroad, Hetzner, S3, mail)") as line:
            env = self._env() | {
                "GUMROAD_PING_URL": f"{self.by_address}/hooks/gumroad/{self._secret('GUMROAD_WEBHOOK_SECRET')}",
                **self.keys.storage,
            }
            process = dev_world.process(self.home, env, self.site, self.hosts)
            self.supervisor.keep(process)
            world = dev_world.wait_ready(process, self.supervisor, line)
            line.note = f"machines: {world.hosts}"
        if world.hosts == "process" and self.hosts == "auto" and world.why:
            say(f"  {world.why[:1].upper()}{world.why[1:]}.")
        return world

    def _prepare_product(self) -> None:
        env = self._env(self.world.settings(self.port), signs=True)
        self._manage(env, "Database tables", "migrate", "--no-input")
        self._manage(env, "Static files", "collectstatic", "--no-input")
        with stage("Agent"):
            run([VENV_PYTHON, "-m", "agent.build", self.home / "agent"], what="Building the agent", env=env)
        self.staff_hint = self._manage(env, "Staff", "make_staff", "--email", "stella@example.test").strip()

    def _manage(self, env: dict[str, str], title: str, *words: str) -> str:
        with stage(title):
            command = [VENV_PYTHON, ROOT / "manage.py", *words]
            return run(command, what=f"manage.py {words[0]}", log=self.logs / "setup.log", env=env)

    def _start_product(self) -> None:
        """The web process is not told where the signing key is, nor the storage's key; the gate has that one alone."""
        settings = self.world.settings(self.port)
        web_port, gate_port = own_port(8100), own_port(8110)
        web, workers = self._env(settings), self._env(settings, signs=True)
        celery = ["-m", "celery", "-A", "mailat.celery"]
        schedule = ["--schedule", str(self.home / "beat-schedule"), "--pidfile="]
        gunicorn = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind"]
        gate = web | self.keys.storage | {"ROOT_URLCONF": "mailat.gate_urls", "WEB_PROCESSES": "1"}
        self._keep("web", web, [*gunicorn, f"127.0.0.1:{web_port}"])
        if settings.get("STORAGE_URL"):
            self._keep("gate", gate, [*gunicorn, f"127.0.0.1:{gate_port}"])
        self._keep("front", {}, ["-m", "devtools.front", *map(str, (self.port, web_port, gate_port))])
        self._keep(
            "worker", workers, [*celery, "worker", "--pool", "threads", "--concurrency", "8", "-l", "INFO"]
        )
        self._keep("beat", workers, [*celery, "beat", *schedule, "-l", "WARNING"])

    def _keep(self, name: str, env: dict[str, str], words: list[str]) -> None:
        self.supervisor.keep(Process(name, [str(VENV_PYTHON), *words], env, self.logs / f"{name}.log", ROOT))

    def _wait_for_site(self) -> None:
        with stage("Web, gate, worker, beat"):
            until = time.monotonic() + SITE_SECONDS
            self.supervisor.watch(lambda: answers(self.site) or time.monotonic() > until)
            if not answers(self.site):
                raise Failed(f"{self.site}/ did not answer with 200; see {self.logs / 'web.log'}.")

    def _env(self, more: Mapping[str, str] | None = None, *, signs: bool = False) -> dict[str, str]:
        return product_env(
            self.home,
            database_url=self.database_url,
            broker_url=self.broker_url,
            base_url=self.site,
            signs=signs,
            keys=self.keys,
            more={"AGENT_URL": self.by_address, "ALLOWED_HOSTS": "127.0.0.1", **(more or {})},
        )

    def _secret(self, name: str) -> str:
        return self.keys.values[name]

    def show(self) -> None:
        rows = [
            ("Site", self.site),
            ("Store", self.world.store),
            ("Mailbox", self.world.mailbox),
            ("Staff", f"{self.site}/admin/"),
            ("Sandbox", self.world.url),
            ("Internet", f"{self.world.internet} (browse the servers' webmail by {self.world.socks})"),
            ("Machines", self.world.hosts),
            ("Logs", str(self.logs)),
            ("End", "Ctrl-C; bin/dev --reset throws the state away"),
        ]
        say("\n" + box("Mailat is running", rows))
        if self.staff_hint:
            say(self.staff_hint)
        note = {"site": self.site, "pid": os.getpid(), "store": self.world.store, "mail": self.world.mailbox}
        note |= {"socks": self.world.socks, "ca": self.world.ca}
        unfinished = self.home / ".running.json"
        unfinished.write_text(json.dumps(note))
        unfinished.replace(self.home / "running.json")  # whoever waits for it finds it whole


def answers(site: str) -> bool:
    """Whether the landing page comes with 200."""
    try:
        with urllib.request.urlopen(f"{site}/", timeout=5) as answer:  # noqa: S310 - an address we made
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def run_everything(home: Path, options: Namespace) -> int:
    """0 when ended as asked, 1 when something could not be kept running."""
    one = Run(home, options)
    one.supervisor.listen()
    try:
        one.start()
        one.show()
        if options.check:
            say("Everything is up; ending again.")
            return 0
        one.supervisor.watch()
    except KeyboardInterrupt:
        say("")
        return 0 if (home / "running.json").exists() else 130
    finally:
        _end(one, home)
    return 0


def _end(one: Run, home: Path) -> None:
    with stage("Ending"):
        one.supervisor.end()
    (home / "running.json").unlink(missing_ok=True)
    shutil.rmtree(home / "broker" / "control", ignore_errors=True)
