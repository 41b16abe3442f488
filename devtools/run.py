"""Runs a command to its end, keeps what it said, and shows the end of it when it fails."""

import os
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.leash import leash
from devtools.paths import ROOT
from devtools.people import Runner
from devtools.say import Failed

SHOWN = 25


def run(
    command: Sequence[object],
    *,
    what: str,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    who: Runner | None = None,
    tied: bool = True,
) -> str:
    """What the command printed; Failed with its last lines when it ends badly. A tied one ends when we are killed."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            check=False,
            preexec_fn=leash() if tied else None,
            **(who.popen() if who else {}),
        )
    except OSError as error:
        raise Failed(f"{what}: {command[0]} could not be started ({error.strerror}).") from error
    text = str(done.stdout, errors="replace")
    if log:
        append(log, text)
    if done.returncode:
        raise Failed(f"{what} failed (exit {done.returncode}):\n{indent(text.splitlines()[-SHOWN:])}")
    return text


def append(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(text)


def last_lines(log: Path, number: int = SHOWN) -> str:
    """The end of a log, set in for showing."""
    try:
        with log.open(errors="replace") as file:
            return indent(list(deque(file, number)))
    except OSError:
        return "    (no log)"


def indent(lines: Sequence[str]) -> str:
    return "\n".join("    " + line.rstrip() for line in lines)


def clean_environment() -> dict[str, str]:
    """Ours, less what would bend a child: another Python's settings or another database's."""
    dropped = ("PG", "PYTHON", "VIRTUAL_ENV", "DJANGO_", "CELERY_", "GUNICORN_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONUNBUFFERED": "1"}
