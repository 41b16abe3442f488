"""bin/dev: from a fresh clone to a running Mailat with its outside world."""

import argparse
import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from devtools import paths, postgres, postgres_place, venv
from devtools.say import Failed, say


def start(script: Path) -> int:
    """First under any Python, to make the environment; then once more under that."""
    return shown(lambda: _start(script))


def shown(work: Callable[[], int]) -> int:
    """What a person is told of an ending: a sentence where we know one, never a traceback for Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work()
    except Failed as problem:
        say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        say("\nEnded.")
        return 130


def _interrupt(*_: object) -> None:
    """As Ctrl-C does, which a script's `&` makes us deaf to."""
    raise KeyboardInterrupt


def _start(script: Path) -> int:
    options = parse(sys.argv[1:])
    home = paths.home()
    if options.reset:
        return reset(home, sure=options.yes)
    if Path(sys.prefix) != paths.VENV:
        say(f"Mailat in {paths.ROOT}")
    venv.ensure("sandbox")
    venv.enter(script)
    lock = hold(home)
    from devtools.dev_run import run_everything

    with lock:
        return run_everything(home, options)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/dev", description=__doc__)
    parser.add_argument(
        "--port", type=port, default=8000, help="the site's port; the next free one if taken (8000)"
    )
    parser.add_argument(
        "--hosts",
        choices=["auto", "debian", "process", "none"],
        default="auto",
        help="what a rented machine is: a real Debian host, a process with the agent, or nothing (auto: the best here)",
    )
    parser.add_argument(
        "--check", action="store_true", help="start everything, see that the site answers, end"
    )
    parser.add_argument(
        "--reset", action="store_true", help="throw away the database, the mails and the machines"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before --reset")
    return parser.parse_args(arguments)


def port(word: str) -> int:
    if not word.isdecimal() or not 0 < int(word) < 65536:
        raise argparse.ArgumentTypeError(f"{word} is no port; 1 to 65535 are")
    return int(word)


def hold(home: Path) -> IO[str]:
    """The one lock of this state; whoever comes second is told where the first one is."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "dev.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"bin/dev runs already: {_where(home)}") from None
    (home / "running.json").unlink(missing_ok=True)
    return lock


def _where(home: Path) -> str:
    try:
        running = json.loads((home / "running.json").read_text())
    except (OSError, ValueError):
        return "it is still starting."
    return f"{running['site']} (process {running['pid']})."


def reset(home: Path, *, sure: bool) -> int:
    """Everything that earlier runs left, wherever it had to be put."""
    if not home.exists():
        say("There is nothing to reset.")
        return 0
    lock = hold(home)
    if not sure and not _agreed(home):
        say("Nothing was changed.")
        return 1
    with lock:
        postgres.end_left_over(home)
        postgres_place.remove(home)
        shutil.rmtree(home)
    say("The state is gone; bin/dev starts afresh.")
    return 0


def _agreed(home: Path) -> bool:
    if not sys.stdin.isatty():
        raise Failed("bin/dev --reset asks first, and nobody is there to answer; --yes goes ahead.")
    return input(f"Throw away everything in {home}? [y/N] ").strip().lower() in {"y", "yes"}
