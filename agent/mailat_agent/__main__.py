"""`agent.pyz --config FILE --state DIR [--once]`: see PROTOCOL.md for what it says and obeys."""

import argparse
import fcntl
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TextIO

from . import __version__
from .config import ConfigError, load
from .identity import IdentityError
from .log import say
from .loop import GONE, Agent

UNUSABLE = 2  # exit status: configuration or state, as argparse uses it for arguments
ALREADY_RUNNING = 3  # exit status


def main(arguments: list[str] | None = None) -> int:
    """Run until told to end; returns the exit status."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(options.state)
    except OSError as error:
        say(f"cannot use {options.state}: {error.strerror}")
        return UNUSABLE
    if lock is None:
        say(f"another agent uses {options.state}")
        return ALREADY_RUNNING
    with lock:
        return _run(options)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="agent.pyz", description="Reports to Mailat and obeys its signed orders."
    )
    parser.add_argument("--config", type=Path, required=True, help="the JSON file that came with the machine")
    parser.add_argument("--state", type=Path, required=True, help="directory for what must outlive a restart")
    parser.add_argument(
        "--once", action="store_true", help="report a single time, then exit: 0 if it was heard"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser.parse_args(arguments)


def _end(_number: int, _frame: FrameType | None) -> None:
    say("asked to end")
    os._exit(0)  # at once, whatever goes on: nothing here needs more of an end than a kill gives it


def _lock(state: Path) -> TextIO | None:
    file = open(state / "lock", "w", encoding="ascii")  # noqa: SIM115 - open as long as the agent runs
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _run(options: argparse.Namespace) -> int:
    if (options.state / GONE).exists():
        say("the server was deleted; not starting")
        return 0
    try:
        return Agent(load(options.config), options.state).run(options.once)
    except (ConfigError, IdentityError) as error:
        say(str(error))
    except OSError as error:
        say(f"cannot use {options.state}: {error.strerror}")
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
