"""bin/bench: a benchmark with everything it needs, and one line of JSON for whoever reads the figure."""

import argparse
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from devtools import apt, restic, venv
from devtools.dev import shown
from devtools.paths import ROOT, VENV_PYTHON
from devtools.say import Failed, say, stage

PROGRAMS = {"wrk": "wrk", "redis-server": "redis-server"}
FIELDS = ("name", "figure", "unit", "yardstick", "ratio")


def start(script: Path) -> int:
    return shown(lambda: _start(script))


def _start(script: Path) -> int:
    name = parse(sys.argv[1:])
    venv.ensure("sandbox")
    venv.enter(script)
    if packages := apt.missing(PROGRAMS):
        with stage("Debian packages"):
            apt.install(packages)
    print(json.dumps(measure(name)), flush=True)
    return 0


def parse(arguments: list[str]) -> str:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("name", choices=names(), help="which benchmark")
    return str(parser.parse_args(arguments).name)


def names() -> list[str]:
    """Those modules that can be run; the others are their parts."""
    runnable = (
        path for path in (ROOT / "bench").glob("*.py") if '__name__ == "__main__"' in path.read_text()
    )
    return sorted(path.stem for path in runnable)


def measure(name: str) -> dict[str, object]:
    """The benchmark's own line, checked: whatever else it prints belongs to the error output."""
    from devtools import services
    from devtools.environment import product_env

    with ExitStack() as stack:
        with stage("Postgres and Redis"):
            home = stack.enter_context(services.scratch("mailat-bench-"))
            database = stack.enter_context(services.postgres(durable=True))
            broker = stack.enter_context(services.redis())
        env = product_env(
            home,
            database_url=database.url(),
            broker_url=broker.url,
            signs=True,
            more={"LOG_LEVEL": "WARNING", "MAILAT_HOME": str(home)},
        )
        path = restic.path(f"{VENV_PYTHON.parent}:{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        say(f"  {name} with Postgres {database.binaries.major} and Redis", sys.stderr)
        return line_of(run(name, env | {"PATH": path, "PYTHONPATH": str(ROOT)}))


def run(name: str, env: dict[str, str]) -> str:
    command = [str(VENV_PYTHON), "-m", f"bench.{name}"]
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{name} ended with {done.returncode}.\n{done.stdout}")
    return done.stdout


def line_of(output: str) -> dict[str, object]:
    """The last line, which must be the figure; earlier ones are passed on as progress."""
    lines = [line for line in output.splitlines() if line.strip()]
    for line in lines[:-1]:
        say(line, sys.stderr)
    try:
        figure = dict(json.loads(lines[-1]))
    except (IndexError, ValueError, TypeError):
        raise Failed("The benchmark's last line is no JSON object.") from None
    if absent := [field for field in FIELDS if field not in figure]:
        raise Failed(f"The benchmark's line lacks {', '.join(absent)}.")
    return figure
