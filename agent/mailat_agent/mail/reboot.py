"""Reboots: only when an update needs one, only in the customer's hours, and once in each of them."""

import contextlib
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..log import say
from . import packages
from .canary import boot_id
from .ledger import Ledger
from .state import Window

REQUIRED, KERNELS = Path("/run/reboot-required"), Path("/boot")
STALE = 8 * 86400.0  # seconds; apt's lists are never older on a host whose clock and network are right
PATIENCE = 30.0  # seconds


def needed(required: Path = REQUIRED, kernels: Path = KERNELS, running: str = "") -> bool:
    """Whether an update asks for a reboot, or a newer kernel lies there than the one that runs."""
    running = running or os.uname().release
    flavour = _flavour(running)
    there = [path.name.removeprefix("vmlinuz-") for path in kernels.glob("vmlinuz-*")]
    rivals = [name for name in there if _flavour(name) == flavour]
    return required.exists() or (running in there and any(_order(name) > _order(running) for name in rivals))


def _flavour(kernel: str) -> str:
    return kernel.rpartition("-")[2] if "-cloud-" not in kernel else "cloud-" + kernel.rpartition("-")[2]


def _order(kernel: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", kernel.partition("-")[0])]


def booted_at(stat: Path = Path("/proc/stat")) -> float:
    """When the host booted, Unix time by the kernel; 0 where it does not say."""
    with contextlib.suppress(OSError, ValueError):
        if found := re.search(r"^btime (\d+)$", stat.read_text(encoding="ascii"), re.MULTILINE):
            return float(found[1])
    return 0.0


def window_start(window: Window, now: float) -> float | None:
    """The start of the window that a moment lies in, Unix time; None outside. A window may pass midnight."""
    moment = datetime.fromtimestamp(now, UTC)
    for back in (0, 1):
        day = (moment - timedelta(days=back)).replace(hour=window.hour, minute=0, second=0, microsecond=0)
        if day.weekday() in window.days and day <= moment < day + timedelta(hours=window.hours):
            return day.timestamp()
    return None


def clock_is_sane(now: float, release: float | None) -> bool:
    """Whether the time of day can be trusted with choosing the hour: apt's lists and the time service agree with it."""
    return release is not None and release - 3600 <= now <= release + STALE and _synchronized()


def _synchronized() -> bool:
    # A host that has no time service is not asked: it would never reboot.
    said = _output("timedatectl", "show", "--property=CanNTP", "--property=NTPSynchronized")
    return "CanNTP=no" in said.split() or "NTPSynchronized=yes" in said.split()


def consider(ledger: Ledger, window: Window, home: Path, now: float) -> bool:
    """Reboot if it is needed and may be now; True if it was ordered. Written down first: never twice in one window."""
    start = window_start(window, now)
    if start is None or ledger.rebooted >= start or ledger.trial or not needed() or packages.busy():
        return False
    if not clock_is_sane(now, packages.newest_release()):
        return False
    ledger.rebooted, ledger.boot = start, boot_id()
    ledger.write(home)
    say("rebooting, as an update needs it and the hours allow it")
    _output("systemctl", "reboot")
    return True


def came_back(ledger: Ledger) -> bool:
    """Whether this is the first life after a reboot that was ordered here."""
    return bool(ledger.boot) and ledger.boot != boot_id()


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
