"""Make the host what the order in force says; every handler may run any number of times."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from .files import write_whole
from .log import say
from .orders import Order

UNIT = "mailat-agent.service"
CGROUP = Path("/proc/self/cgroup")
HOSTNAME = Path("/etc/hostname")

Undone = list[dict[str, str]]


class CannotDo(Exception):
    """This part of an order cannot be carried out here; the text says why."""


def apply(order: Order) -> Undone:
    """Carry out an order and return what could not be done, as `{"what", "why"}`; that stops nothing else."""
    undone = []
    for what, handler in HANDLERS.items():
        try:
            handler(order)
        except (CannotDo, OSError) as error:
            why = str(error) if isinstance(error, CannotDo) else f"refused by the system: {error.strerror}"
            say(f"order {order.version}: {what} not done: {why}")
            undone.append({"what": what, "why": why})
    return undone


def set_hostname(order: Order) -> None:
    """Name the host, now and after a reboot."""
    if socket.gethostname() == order.hostname and _hostname_on_disk() == order.hostname:
        return
    _demand_the_host()
    socket.sethostname(order.hostname)  # first, because the kernel refuses what is too long
    write_whole(HOSTNAME, f"{order.hostname}\n", mode=0o644)


def _hostname_on_disk() -> str:
    try:
        return HOSTNAME.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _demand_the_host() -> None:
    # Started by hand or by a test, the agent is a guest on somebody's machine, also when it is root there.
    if os.geteuid() != 0:
        raise CannotDo("not root")
    if not _runs_as_unit():
        raise CannotDo(f"not run by {UNIT}")


def _runs_as_unit() -> bool:
    try:
        lines = CGROUP.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(UNIT in line.split("/") for line in lines)


HANDLERS: dict[str, Callable[[Order], None]] = {"hostname": set_hostname}
