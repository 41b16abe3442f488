"""The mail system's units: which of them still run what an update replaced, and how they are started again."""

import contextlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

GROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")
PATIENCE = 120.0  # seconds
AGENT = "mailat-agent.service"
BESIDE = ("ssh.service", "cron.service")  # daemons that are not mail's, but must not run old libraries either


def units() -> list[str]:
    """All units of the parts, each once."""
    from .parts import PARTS  # here, since a part of them is about updates itself

    return list(dict.fromkeys(unit for part in PARTS for unit in part.units))


def restart_all() -> None:
    """Start every mail daemon anew, also those that gave up."""
    for unit in units():
        _systemctl("reset-failed", unit)
        _systemctl("restart", unit)


def restart_outdated() -> None:
    """Start anew what still has files open that an update replaced, and what does not run."""
    for unit in (*units(), *BESIDE):
        if _outdated(unit) or (_state(unit) == "failed"):
            _systemctl("reset-failed", unit)
            _systemctl("restart", unit)


def renew_the_agent() -> None:
    """Start the agent itself anew where an update replaced what it runs on; nothing may be left to be written."""
    own = (PROC / "self/cgroup").read_text(encoding="utf-8").split("/")
    if AGENT in [word.strip() for word in own] and replaced(PROC / "self"):
        _systemctl("restart", "--no-block", AGENT)


def _state(unit: str) -> str:
    return _systemctl("is-active", unit).strip()


def _outdated(unit: str) -> bool:
    group = _systemctl("show", "--property=ControlGroup", "--value", unit).strip()
    return bool(group) and any(replaced(PROC / pid) for pid in _processes(GROUPS / group.lstrip("/")))


def _processes(group: Path) -> Iterable[str]:
    for listing in (group / "cgroup.procs", *group.rglob("cgroup.procs")):
        with contextlib.suppress(OSError):
            yield from listing.read_text(encoding="ascii").split()


def replaced(process: Path) -> bool:
    """Whether a process runs a program or a library that is no longer on the disk."""
    try:
        maps = (process / "maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(" /usr/" in line and line.endswith(" (deleted)") for line in maps.splitlines())


def _systemctl(*words: str) -> str:
    try:
        command = ("systemctl", *words)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
