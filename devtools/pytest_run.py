"""Runs pytest for one stage and counts what came of it."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from devtools import restic
from devtools.checks import Count
from devtools.leash import leash
from devtools.paths import CACHE, ROOT, VENV_PYTHON
from devtools.run import clean_environment

NOTHING_COLLECTED = 5
# A test that lies in the directory of a stage belongs to it, and one in these rooms to the stage named; any other goes by its mark.
BY_PLACE = {
    "admin": "pages",
    "dashboard": "pages",
    "doors": "pages",
    "accounts/test_staff_keys.py": "pages",
    "agent/backup": "processes",
    "agent/mail": "processes",
    "backups": "processes",
    "billing/test_any_order.py": "processes",
    "billing/test_lives.py": "processes",
    "clients/storage": "processes",
    "sandbox": "processes",
    "sending": "processes",
}


def _rooms(stage: str) -> str:
    return ", ".join(f"tests/{room}" for room, its in BY_PLACE.items() if its == stage)


# By stage, what runs in it; pytest_stage.py sorts. What is marked but lies in the directory of a stage stays there.
TOLD = {
    "unit": "everything else",
    "pages": f"{_rooms('pages')}: every address, who may enter, and what the page says",
    "processes": f"{_rooms('processes')}, or marked `integration`:"
    " stand-ins over HTTP, restic, processes that are killed",
    "integration": "tests/integration and, but for those below, marked `root`: boots Debian hosts, as root on Linux",
    "browser": "tests/browser, or marked so: drives a Chromium",
    "journeys": "tests/journeys: whole lives, some of them on Debian hosts",
}
STAGES = tuple(TOLD)
# The tests of a file share what they start, and every file has its own: ports, networks, databases.
SPREAD = ("--dist", "loadfile")


class Pytest:
    """pytest against one database server; each of its workers makes a database of its own there."""

    def __init__(self, database_url: str, reports: Path) -> None:
        self.database_url, self.reports = database_url, reports

    def stage(self, name: str, words: Sequence[str] = ()) -> Count:
        """All tests of the stage; a stage without tests is a failure, because somebody thinks that it has some."""
        spread = ["-n", str(workers()), *SPREAD]
        return self.run(name, ["-p", "devtools.pytest_stage", "--stage", name, "-rs", *spread, *words])

    def run(self, name: str, words: list[str]) -> Count:
        report = self.reports / f"{name}.xml"
        command = [str(VENV_PYTHON), "-m", "pytest", f"--junitxml={report}", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=leash(),
            check=False,
        )
        return counted(report, done.returncode)

    def environment(self) -> dict[str, str]:
        kept = {"MAILAT_CACHE": str(CACHE)} | clean_environment()
        path = restic.path(kept.get("PATH", os.defpath))
        return kept | {"DATABASE_URL": self.database_url, "PATH": path}


def workers() -> int:
    """One more than there are processors: much of a test is waiting, for the database or for a host."""
    return min(8, len(os.sched_getaffinity(0)) + 1)


def counted(report: Path, exit_code: int) -> Count:
    """From pytest's own report; an ending that no test explains is one more failure."""
    count = read(report) if report.exists() else Count()
    if exit_code == NOTHING_COLLECTED:
        print("No tests were found.")
    return count + Count(failed=1) if exit_code and not count.failed else count


def read(report: Path) -> Count:
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    total = Count()
    for suite in suites:
        number = {key: int(suite.get(key, 0)) for key in ("tests", "errors", "failures", "skipped")}
        failed = number["errors"] + number["failures"]
        passed = number["tests"] - failed - number["skipped"]
        total += Count(passed, failed, number["skipped"])
    return total
