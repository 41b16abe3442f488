"""Postgres, Redis and free ports for as long as a block lasts: for tests, benchmarks and bin/."""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.leash import leash
from devtools.postgres import Postgres
from devtools.run import clean_environment, last_lines
from devtools.say import Failed

REDIS_SECONDS = 60.0
CLAIMS: list[socket.socket] = []
# Below the ports that a system hands out by itself: Linux from 32768, others from 49152.
FIRST, MANY = 10_000, 20_000


def free_port() -> int:
    """Any port that is free now, and none that others are given by chance before a server of ours has come up there."""
    return own_port(FIRST + secrets.randbelow(MANY))


def own_port(preferred: int) -> int:
    """The preferred port or one of the next, kept from every other run until ours ends: a server takes a while to come up."""
    for port in range(preferred, min(preferred + 100, 65536)):
        claim = _claim(port)
        if claim and _taken_for_a_moment("127.0.0.1", port):
            CLAIMS.append(claim)
            return port
    raise Failed(f"No free port from {preferred} on.")


def _claim(port: int) -> socket.socket | None:
    """A name that only one process has at a time; Linux takes it back when that ends, however it ends."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        if sys.platform == "linux":
            claim.bind(f"\0mailat-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _taken_for_a_moment(host: str, port: int) -> int:
    """The port that could be bound, or 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


@contextmanager
def scratch(prefix: str = "mailat-") -> Iterator[Path]:
    """A directory that other users may pass through (a database runs as one), gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(*, durable: bool = False, home: Path | None = None) -> Iterator[Postgres]:
    """A started server with an empty database `mailat`; `durable` keeps fsync on, as a benchmark must."""
    with scratch() as folder:
        server = Postgres(home or folder, durable=durable)
        try:
            server.start()
            yield server
        finally:
            server.stop() if home else server.remove()


class Redis:
    """A redis-server of our own; it keeps nothing on disk, so kill and restart empty it."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.log = folder / "redis.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        if not program:
            raise Failed("redis-server is missing. Please run: sudo apt-get install redis-server")
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program, *flags, "--dir", self.folder],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                start_new_session=True,
                preexec_fn=leash(),
            )
        self._wait_ready()

    def _wait_ready(self) -> None:
        until = time.monotonic() + REDIS_SECONDS
        while time.monotonic() < until and self.process and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise Failed(f"redis-server did not start:\n{last_lines(self.log)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def empty(self) -> None:
        """What an operator's FLUSHALL does."""
        import redis as client

        client.Redis.from_url(self.url).flushall()

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()


@contextmanager
def redis(port: int | None = None) -> Iterator[Redis]:
    """A started Redis on a free port."""
    with scratch() as folder:
        server = Redis(folder, port)
        try:
            server.start()
            yield server
        finally:
            server.stop()
