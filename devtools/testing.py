"""bin/test: everything that must be right before a change is merged, in the order of what fails fastest."""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devtools import apt, checks, venv
from devtools.checks import Check, Count
from devtools.dev import shown
from devtools.paths import ROOT
from devtools.pytest_run import STAGES, TOLD, Pytest
from devtools.say import say, stage

PROGRAMS = {"redis-server": "redis-server", "chromium": "chromium"}
HOSTS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "pebble": "pebble",
    "ip": "iproute2",
    "mbsync": "isync",  # a mail program that keeps folders in step
    "certutil": "libnss3-tools",  # tells a browser whom to trust
}

ENDING = """With paths only these tests run, without the checks; pytest's own options go along.
What needs Debian hosts is skipped where none can be booted, and says so; where CI is set, that is a failure.

Stages, in this order:"""


@dataclass
class Heading:
    """One stage as it was told in the summary."""

    title: str
    count: Count
    seconds: float


def start(script: Path) -> int:
    return shown(lambda: _start(script))


def _start(script: Path) -> int:
    options, words = parse(sys.argv[1:])
    venv.ensure("dev")
    venv.enter(script)
    os.chdir(ROOT)
    return run_some(words, quick=options.unit) if words else run_all(quick=options.unit)


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our options; all other words are pytest's, in the order in which they came: paths, and whatever else it knows."""
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description=__doc__,
        usage="bin/test [--unit] [PATH ...]",
        epilog=ENDING + "".join(f"\n  {name:<13}{what}" for name, what in TOLD.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--unit", action="store_true", help="only the checks and the quick tests")
    return parser.parse_known_args(arguments)


def run_some(words: list[str], *, quick: bool) -> int:
    """Only these tests, in this process' terminal."""
    with ExitStack() as stack:
        pytest = pytest_with_database(stack)
        count = pytest.stage(STAGES[0], words) if quick else pytest.run("some", words)
    tell_total(count)
    return 1 if count.failed else 0


def run_all(*, quick: bool) -> int:
    """Goes on after a failure, so that one run shows all that is wrong."""
    absent = install(quick=quick)
    told = [timed(title, check) for title, check in checks.ALL]
    with ExitStack() as stack:
        pytest = pytest_with_database(stack)
        stages = STAGES[:1] if quick else STAGES
        told += [timed(f"{name} tests", partial(pytest.stage, name)) for name in stages]
    return summary(told, absent)


def pytest_with_database(stack: ExitStack) -> Pytest:
    """Its database server and its reports last as long as the stack."""
    return Pytest(database(stack), Path(stack.enter_context(tempfile.TemporaryDirectory())))


def install(*, quick: bool) -> list[str]:
    """The programs that tests start; as a plain user they are named, and so are the tests that miss them."""
    absent = [] if quick else apt.missing(PROGRAMS | (HOSTS if os.geteuid() == 0 else {}))
    if not absent:
        return []
    if reason := apt.why_not():
        say(
            f"  Missing {', '.join(absent)}, and {reason}: tests that need them will fail or say that they were skipped."
        )
        return absent
    with stage("Debian packages") as line:
        line.note = " ".join(absent)
        apt.install(absent)
    return []


def database(stack: ExitStack) -> str:
    """DATABASE_URL if given, else a Postgres of our own for as long as the tests run."""
    from devtools.services import postgres

    if given := os.environ.get("DATABASE_URL"):
        return given
    return stack.enter_context(postgres()).url()


def timed(title: str, work: Check) -> Heading:
    heading(title)
    began = time.monotonic()
    count = work()
    took = time.monotonic() - began
    say(f"── {title}: {count.line()} in {took:.1f} s", sys.stdout)
    return Heading(title, count, took)


def heading(title: str) -> None:
    say(f"\n── {title} " + "─" * (70 - len(title)), sys.stdout)


def summary(told: list[Heading], absent: list[str]) -> int:
    total = sum((each.count for each in told), Count())
    heading("summary")
    for each in told:
        say(
            f"   {'failed' if each.count.failed else 'ok':<7} {each.title:<22}{each.seconds:7.1f} s  {each.count.line()}",
            sys.stdout,
        )
    if absent:
        say(f"   missing here: {', '.join(absent)}", sys.stdout)
    tell_total(total)
    return 1 if total.failed else 0


def tell_total(total: Count) -> None:
    """The very last line is always of the same form, for whoever reads only that."""
    if total.skipped:
        say(total.line(), sys.stdout)
    say(total.short(), sys.stdout)
