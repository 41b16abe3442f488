"""What several benchmarks need: Django with an empty database, a worker, and the line that is printed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django


def set_up() -> None:
    """Django, its tables made."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def report(*, name: str, figure: float, unit: str, yardstick: float, **more: object) -> None:
    """The one line: the figure, the yardstick of the same run, and their ratio."""
    line = {"name": name, "figure": round(figure, 3), "unit": unit, "yardstick": round(yardstick, 3)}
    print(json.dumps({**line, "ratio": round(figure / yardstick, 3), **more}), flush=True)


@contextmanager
def worker(app: str = "bench.celery_app", processes: int = 2) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with its children in processes of their own."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--pool", "prefork", "-c", str(processes)]
    command += ["-l", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    running = subprocess.Popen(command, env=os.environ.copy(), stdout=sys.stderr, start_new_session=True)
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def rate(left: Callable[[], int], total: int, *, timeout: float = 180) -> float:
    """Things a second between the first tenth and the last, as `left` counts down from `total` to 0."""
    until = time.monotonic() + timeout
    while (rest := left()) > total * 0.9:
        _tire(until)
    began = time.perf_counter()
    while (last := left()) > 0:
        _tire(until)
    return (rest - last) / (time.perf_counter() - began)


def _tire(until: float) -> None:
    if time.monotonic() > until:
        sys.exit("This takes too long; something is not working.")
    time.sleep(0.01)
