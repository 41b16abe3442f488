"""Control groups of the machines: the one handle by which everything a machine ever started can be ended."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time

PATIENCE = 20  # seconds for killed processes to be gone


def root() -> pathlib.Path | None:
    """Where the unified hierarchy is mounted on this computer, beside others or alone."""
    with open("/proc/self/mounts") as mounts:
        places = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    return pathlib.Path(places[0]) if places else None


def why_not() -> str:
    """What keeps us from having groups, or nothing."""
    place = root()
    if place is None:
        return "no unified control group hierarchy is mounted"
    trial = place / f"mailat-trial-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as problem:
        return f"control groups cannot be made: {problem.strerror}"
    return ""


def found(prefix: str) -> list[str]:
    """Names of the groups that begin so."""
    place = root()
    return sorted(group.name for group in place.glob(f"{prefix}*")) if place else []


def tell(name: str, number: int) -> None:
    """Sends the signal to the processes directly in the group; a group that is not there is no error."""
    place = root()
    with contextlib.suppress(OSError):
        for pid in ((place or pathlib.Path("/nowhere")) / name / "cgroup.procs").read_text().split():
            os.kill(int(pid), number)


def end(name: str) -> None:
    """Kills what is in the group and below it, and removes it; a group that is not there is no error."""
    place = root()
    if place is None or not (place / name).is_dir():
        return
    deadline = time.monotonic() + PATIENCE
    while _kill_all(place / name) and time.monotonic() < deadline:
        time.sleep(0.02)
    for path, _, _ in os.walk(place / name, topdown=False):
        _remove(pathlib.Path(path), deadline)


def _kill_all(group: pathlib.Path) -> bool:
    pids = _pids(group)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pids)


def _pids(group: pathlib.Path) -> list[int]:
    pids: list[int] = []
    for path, _, _ in os.walk(group):
        with contextlib.suppress(OSError):
            pids += [int(pid) for pid in (pathlib.Path(path) / "cgroup.procs").read_text().split()]
    return [pid for pid in pids if pid > 0]


def _remove(group: pathlib.Path, deadline: float) -> None:
    while True:
        try:
            return group.rmdir()
        except FileNotFoundError:
            return None
        except OSError:  # a killed process may still be on its way out
            if time.monotonic() > deadline:
                return None
            time.sleep(0.02)
