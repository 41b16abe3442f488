"""What a whole host takes at rest, in MB of 10^6 bytes: what its processes have to themselves, the files that they have mapped,
each once, and what its tmpfs hold.

The sum of PSS is said as well. It is less where other hosts of this computer run the same programs, which share their pages.
The control group counts also the kernel's memory and, in the whole, every file page that the host ever touched, which goes away
when somebody needs the room.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.mail_host import Place

OLDER = Path("/sys/fs/cgroup/memory")  # where the first version of control groups counts memory
NAME = "mailat-bench"
MB = 1e6


@dataclass(frozen=True)
class Memory:
    """Megabytes."""

    own: float
    files: float
    tmpfs: float
    pss: float
    largest: dict[str, float]
    group: dict[str, float]

    @property
    def whole(self) -> float:
        return self.own + self.files + self.tmpfs


@dataclass(frozen=True)
class Process:
    """Bytes; files by device and inode."""

    unit: str
    own: int
    pss: int
    files: dict[str, int]


def look(place: Place) -> Memory:
    """Now."""
    found = list(_processes(place))
    by_unit: dict[str, int] = {}
    files: dict[str, int] = {}
    for one in found:
        by_unit[one.unit] = by_unit.get(one.unit, 0) + one.pss
        files |= {file: max(size, files.get(file, 0)) for file, size in one.files.items()}
    largest = sorted(by_unit.items(), key=lambda each: -each[1])[:6]
    return Memory(
        own=sum(one.own for one in found) / MB,
        files=sum(files.values()) / MB,
        tmpfs=_tmpfs(place),
        pss=sum(one.pss for one in found) / MB,
        largest={unit: round(size / MB, 1) for unit, size in largest},
        group=_group(place),
    )


def _processes(place: Place) -> Iterator[Process]:
    for folder, _, _ in os.walk(place.group() / "payload"):
        for number in (Path(folder) / "cgroup.procs").read_text().split():
            process = Path("/proc") / number
            with contextlib.suppress(OSError):  # it ended meanwhile
                sums = _fields((process / "smaps_rollup").read_text().splitlines()[1:])
                own = sums["Pss_Anon"] + sums["Pss_Shmem"]
                yield Process(_name(process), own, sums["Pss"], _files(process))


def _files(process: Path) -> dict[str, int]:
    """Bytes of each file that the process has in memory, but for pages that it changed for itself; see proc(5), smaps."""
    found: dict[str, int] = {}
    file = ""
    for line in (process / "smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0]:
            file = f"{words[3]} {words[4]}" if words[4] != "0" else ""
        elif file and words[0] == "Rss:":
            found[file] = found.get(file, 0) + int(words[1]) * 1024
        elif file and words[0] == "Anonymous:":
            found[file] -= int(words[1]) * 1024
    return found


def _fields(lines: list[str]) -> dict[str, int]:
    return {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def _name(process: Path) -> str:
    """The unit in which it runs."""
    units = (process / "cgroup").read_text().strip().split("/")
    return next((unit for unit in reversed(units) if unit.endswith((".service", ".scope"))), "others")


def _tmpfs(place: Place) -> float:
    said = place.run("df", "--block-size=1", "--output=source,used,target", "--type=tmpfs")
    inside = [line.split() for line in said.splitlines()[1:]]
    return sum(int(used) for _, used, target in inside if not target.startswith("/sys")) / MB


def _group(place: Place) -> dict[str, float]:
    newer = place.group() / "payload/memory.current"
    if newer.is_file():
        return {"whole": round(int(newer.read_text()) / MB, 1)}
    older = OLDER / NAME
    if not older.is_dir():
        return {}
    lines = (older / "memory.stat").read_text().splitlines()
    stat = {name: int(value) for name, _, value in (line.partition(" ") for line in lines)}
    kernel = older / "memory.kmem.usage_in_bytes"
    taken = stat["total_rss"] + stat["total_shmem"] + (int(kernel.read_text()) if kernel.is_file() else 0)
    whole = int((older / "memory.usage_in_bytes").read_text())
    return {"without_file_pages": round(taken / MB, 1), "whole": round(whole / MB, 1)}


@contextlib.contextmanager
def counted() -> Iterator[None]:
    """What is started in this block is counted by a control group of the older kind, where there is one."""
    if not OLDER.is_dir() or not os.access(OLDER, os.W_OK):
        yield
        return
    (OLDER / NAME).mkdir(exist_ok=True)
    (OLDER / NAME / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (OLDER / "cgroup.procs").write_text(str(os.getpid()))


def tidy() -> None:
    """Remove the group once nothing runs in it."""
    if (OLDER / NAME).is_dir():
        with contextlib.suppress(OSError):
            (OLDER / NAME).rmdir()
