"""restic as the servers have it: of Debian 13, where this computer's own is older than what the agent counts on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from devtools.paths import CACHE, VENV_PYTHON
from devtools.run import run
from devtools.say import Failed, stage

SUITE = "trixie"  # Debian 13, as the servers
OLDEST = (0, 17)  # earlier ones try again what was refused


def path(before: str) -> str:
    """That PATH, with a restic that is new enough on it; unchanged where none can be had, and then its tests say so."""
    if is_new_enough(shutil.which("restic", path=before)):
        return before
    place = CACHE / f"restic-{SUITE}"
    if not is_new_enough(program(place)):
        try:
            with stage(f"restic of Debian {SUITE}"):
                fetch(place)
        except Failed as failure:
            print(failure)
            return before
    return f"{program(place).parent}:{before}"


def program(place: Path) -> Path:
    return place / "usr/bin/restic"


def is_new_enough(found: str | Path | None) -> bool:
    """Whether it runs, and says a version that will do."""
    if found is None or not Path(found).exists():
        return False
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"restic (\d+)\.(\d+)", said)
    return bool(numbers) and (int(numbers[1]), int(numbers[2])) >= OLDEST  # type: ignore[index]


def fetch(place: Path) -> None:
    """By apt, which checks signatures, with lists of its own: nothing of this computer's changes. Raises Failed."""
    said = run([VENV_PYTHON, "-m", "sandbox.hosts.debian.image"], what="looking for apt's sources")
    lines = [line for line in said.splitlines() if line.startswith("deb ")]
    if not lines:
        raise Failed("restic 0.17 or later is missing, and apt here has no Debian source to fetch it from.")
    lists, work = place / "lists", place / "work"
    for directory in (lists / "partial", work):
        directory.mkdir(parents=True, exist_ok=True)
    (place / "sources.list").write_text("\n".join(lines) + "\n")
    options = [f"-oDir::Etc::SourceList={place / 'sources.list'}", "-oDir::Etc::SourceParts=/dev/null",
               f"-oDir::State::Lists={lists}", f"-oDir::Cache={work}", "-oDir::State::status=/dev/null",
               "-oAPT::Sandbox::User=", "-oAcquire::Languages=none"]  # fmt: skip
    run(["apt-get", *options, "-q", "update"], what="apt-get update for restic")
    run(["apt-get", *options, "-q", "download", f"restic/{SUITE}"], what="apt-get download restic", cwd=work)
    run(["dpkg", "-x", newest(work), place], what="unpacking restic")
    shutil.rmtree(lists)
    shutil.rmtree(work)


def newest(work: Path) -> Path:
    """The package that was fetched."""
    found = sorted(work.glob("restic_*.deb"), key=os.path.getmtime)
    if not found:
        raise Failed("apt-get download said that it fetched restic, but it is not there.")
    return found[-1]
