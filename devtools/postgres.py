"""A Postgres of our own, without installing or configuring one: private, on a Unix socket, as a plain user."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from devtools import postgres_binaries, postgres_place
from devtools.leash import leash
from devtools.people import runner
from devtools.run import clean_environment, last_lines, run
from devtools.say import Failed

ROLE = "mailat"
START_SECONDS = 30.0
START_TRIES = 8
LEAVING = "is still in use"  # the memory of the server before: a session of it has not heard that it is dead
STOP_SECONDS = 15.0
# A power cut may then lose all; a killed server still loses nothing that it said was committed.
SPEED_OVER_SAFETY = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """One server and its data; start, stop, restart and kill may be called in any order, any number of times."""

    def __init__(self, home: Path, *, durable: bool = True, connections: int = 200) -> None:
        self.home, self.durable, self.connections = home, durable, connections
        self.who = runner()
        self.place = postgres_place.find(home, self.who)
        self.log = home / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        major = self._data_major()
        found = postgres_binaries.find(data_major=major)
        self.binaries = postgres_binaries.usable_by(self.who, found, self.place.shelf)

    def url(self, database: str = ROLE, *, role: str = ROLE) -> str:
        """Understood by libpq and by django-environ alike; nobody but us gets to the socket, so no password."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.place.socket))}"

    def start(self) -> None:
        """Starts it, or goes on with one that an earlier run left; returns when it takes connections."""
        if self.running():
            return
        self._make_data()
        self._forget_stale_locks()
        self._launch()
        self._wait_ready()
        self._ensure_role()

    def running(self) -> bool:
        pid = self.pid()
        if pid and (self._says("stopping") or self._is_orphan(pid)):
            self._wait_gone(pid)
        return self.pid() is not None

    def pid(self) -> int | None:
        """The server's process id, if the noted one is alive and really works on our data."""
        if self.process and self.process.poll() is not None:
            self.process = None
        pid = _first_number(self.place.data / "postmaster.pid")
        return pid if pid and _works_on(pid, self.place.data) else None

    def stop(self) -> None:
        """Ends sessions and stops cleanly; by force only if that takes too long."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """What a power cut does; the next start recovers from the log."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def create_database(self, name: str) -> str:
        """A fresh database of that name, and its URL."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres", role="postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(ROLE))
            )
        return self.url(name)

    def remove(self) -> None:
        """Stops it and takes the data away."""
        self.stop()
        postgres_place.remove(self.home)

    def _data_major(self) -> int | None:
        version = self.place.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _make_data(self) -> None:
        """Made beside its place and moved there whole, so that an interrupted run leaves nothing half made."""
        if self._data_major():
            return
        fresh = self.place.shelf / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.who.own(fresh)
        command = [
            self.binaries.folder / "initdb",
            "-D",
            fresh,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        sync = [] if self.durable else ["--no-sync"]
        run(
            [*command, "--locale=C.UTF-8", *sync],
            what="Making the database",
            log=self.log,
            env=self._environment(),
            cwd=Path("/"),
            who=self.who,
        )
        fresh.rename(self.place.data)

    def _environment(self) -> dict[str, str]:
        return clean_environment() | {"LC_ALL": "C.UTF-8", "HOME": "/", "TZ": "UTC"}

    def _forget_stale_locks(self) -> None:
        """After a hard kill the noted id may belong to another process by now, which Postgres would take for itself.

        A note whose process is dead stays: by it Postgres finds out whether sessions of the killed server live on.
        """
        for lock in (self.place.data / "postmaster.pid", self.place.socket / ".s.PGSQL.5432.lock"):
            if _alive(_first_number(lock)):
                lock.unlink(missing_ok=True)

    def _launch(self) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.place.socket),
            "unix_socket_permissions": "0700",
            "max_connections": str(self.connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_error_statement": "panic",  # a statement that fails bears the values that people typed
        }
        options |= {} if self.durable else SPEED_OVER_SAFETY
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._starter().write_text(str(os.getpid()))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries.folder / "postgres", "-D", self.place.data, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd="/",
                start_new_session=True,
                preexec_fn=leash(signal.SIGINT),
                **self.who.popen(),
            )

    def _wait_ready(self) -> None:
        """Until its note says ready; right after a kill the first tries may find the old sessions still leaving."""
        until, tries = time.monotonic() + START_SECONDS, 1
        while time.monotonic() < until and tries <= START_TRIES:
            if self.process and self.process.poll() is not None:
                time.sleep(0.5)
                tries += LEAVING not in last_lines(self.log, 5)
                self._launch()
            if self.process and self.pid() == self.process.pid and self._says("ready"):
                return
            time.sleep(0.02)
        self.kill()
        raise Failed(f"Postgres did not start:\n{last_lines(self.log)}")

    def _ensure_role(self) -> None:
        """The product's own role and database: no superuser, but free to make databases for tests."""
        import psycopg

        with psycopg.connect(self.url("postgres", role="postgres"), autocommit=True) as admin:
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                admin.execute("CREATE ROLE mailat LOGIN CREATEDB")
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone():
                admin.execute("CREATE DATABASE mailat OWNER mailat")

    def _says(self, word: str) -> bool:
        """The eighth line of Postgres' note is its state: starting, ready, stopping."""
        lines = self._note()
        return len(lines) > 7 and lines[7].strip() == word

    def _is_orphan(self, pid: int) -> bool:
        """Whether its starter is gone: the leash has told it to end then, and it may not have heard yet (Linux only)."""
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        except OSError:
            return False
        starter = _first_number(self._starter())
        return starter != 0 and int(after_name.split()[1]) != starter

    def _starter(self) -> Path:
        """Holds the id of the process that started it."""
        return self.place.shelf / "starter"

    def _note(self) -> list[str]:
        try:
            return (self.place.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid() or (self.process.pid if self.process else None)
        if pid is None:
            return
        os.kill(pid, how)
        if not self._wait_gone(pid):
            os.kill(pid, signal.SIGKILL)
            self._wait_gone(pid)

    def _wait_gone(self, pid: int) -> bool:
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            if self._gone(pid):
                return True
            time.sleep(0.02)
        return False

    def _gone(self, pid: int) -> bool:
        if self.process and self.process.pid == pid:
            return self.process.poll() is not None
        return not _works_on(pid, self.place.data)


def end_left_over(home: Path) -> None:
    """Kills a server that outlived its run, for when its data is thrown away anyhow."""
    place = postgres_place.noted(home)
    pid = _first_number(place / "data" / "postmaster.pid") if place else 0
    if place and _works_on(pid, place / "data"):
        os.kill(pid, signal.SIGKILL)


def _first_number(file: Path) -> int:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _works_on(pid: int, data: Path) -> bool:
    """Whether this process is the Postgres of that data: it works in the data directory."""
    if not _alive(pid):
        return False
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except OSError:
        return not Path("/proc/self").exists()
