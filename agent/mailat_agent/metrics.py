"""How the host fares; what it does not tell is None, so that no chart shows a zero that was never measured."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from . import proc

PROC = Path("/proc")
SHORTEST = 0.5  # seconds; over less, ticks of 10 ms say little

Figure = float | int | str | None


@dataclass(frozen=True)
class Sample:
    """Counters at one moment; `clock` is monotonic, so a host whose time of day jumps still has true rates."""

    clock: float
    cpu: tuple[int, int] | None
    net: dict[str, tuple[int, int]] | None


def sample(root: Path = PROC) -> Sample:
    """Read the counters of which only the growth means something."""
    return Sample(
        time.monotonic(), proc.cpu_times(_read(root / "stat")), proc.traffic(_read(root / "net/dev"))
    )


def figures(now: Sample, before: Sample, root: Path = PROC) -> dict[str, Figure]:
    """The metrics of a report: percent, bytes, bytes per second, seconds."""
    rx, tx = _net_rates(now, before)
    return {
        "boot_id": _read(root / "sys/kernel/random/boot_id").strip() or None,
        "cpu": _cpu_percent(now, before),
        **_memory(_read(root / "meminfo")),
        **_disk(),
        "load1": proc.first_number(_read(root / "loadavg")),
        "net_rx": rx,
        "net_tx": tx,
        "uptime": proc.first_number(_read(root / "uptime")),
    }


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _net_rates(now: Sample, before: Sample) -> tuple[float | None, float | None]:
    seconds = now.clock - before.clock
    if now.net is None or before.net is None or seconds < SHORTEST:
        return None, None
    grown = [_growth(now.net[name], before.net[name]) for name in now.net.keys() & before.net.keys()]
    return round(sum(rx for rx, _ in grown) / seconds, 1), round(sum(tx for _, tx in grown) / seconds, 1)


def _growth(now: tuple[int, int], before: tuple[int, int]) -> tuple[int, int]:
    # An interface that was made anew counts from zero again; what it lost is not to be known.
    return max(0, now[0] - before[0]), max(0, now[1] - before[1])


def _cpu_percent(now: Sample, before: Sample) -> float | None:
    if now.cpu is None or before.cpu is None or now.clock - before.clock < SHORTEST:
        return None
    busy, total = now.cpu[0] - before.cpu[0], now.cpu[1] - before.cpu[1]
    return round(max(0.0, min(100.0, 100 * busy / total)), 2) if total > 0 else None


def _memory(meminfo: str) -> dict[str, Figure]:
    sizes = proc.memory(meminfo)
    return {
        "mem_used": _difference(sizes, "MemTotal", "MemAvailable"),
        "mem_total": sizes.get("MemTotal"),
        "swap_used": _difference(sizes, "SwapTotal", "SwapFree"),
    }


def _difference(sizes: dict[str, int], whole: str, rest: str) -> int | None:
    return max(0, sizes[whole] - sizes[rest]) if whole in sizes and rest in sizes else None


def _disk() -> dict[str, Figure]:
    try:
        root = os.statvfs("/")
    except OSError:
        return {"disk_used": None, "disk_total": None}
    used = root.f_blocks - root.f_bfree
    # What only root may still write is no room for mail: the disk is full when there is nothing left but that (as df has it).
    return {"disk_used": used * root.f_frsize, "disk_total": (used + root.f_bavail) * root.f_frsize}
