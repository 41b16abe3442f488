"""Make the host what the order in force says; every handler may run any number of times."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from .files import write_whole
from .log import place
from .mail.apply import MailSystem
from .mail.change import NotDone
from .mail.commands import Failed
from .orders import Order

UNIT = "mailat-agent.service"
CGROUP = Path("/proc/self/cgroup")
HOSTNAME = Path("/etc/hostname")

Undone = list[dict[str, str]]


class CannotDo(Exception):
    """This part of an order cannot be carried out here; the text says why."""


def apply(order: Order, system: MailSystem) -> Undone:
    """Carry out an order and return what could not be done, as `{"what", "why"}`; that stops nothing else."""
    undone = []
    for what, handler in HANDLERS.items():
        try:
            handler(order, system)
        except Exception as trouble:
            undone.append({"what": what, "why": _why(trouble)})
    return undone


def _why(trouble: Exception) -> str:
    if isinstance(trouble, CannotDo):
        return str(trouble)
    if isinstance(trouble, OSError) and trouble.strerror:
        return f"refused by the system: {trouble.strerror}"
    return f"unexpected {type(trouble).__name__} {place(trouble)}"


def set_hostname(order: Order, _system: MailSystem) -> None:
    """Name the host, now and after a reboot."""
    if socket.gethostname() == order.hostname and _hostname_on_disk() == order.hostname:
        return
    _demand_the_host()
    socket.sethostname(order.hostname)  # first, because the kernel refuses what is too long
    write_whole(HOSTNAME, f"{order.hostname}\n", mode=0o644)


def set_mail(order: Order, system: MailSystem) -> None:
    """Make the mail system what the order wants; an order that does not speak of it leaves it as it is."""
    if order.mail is None:
        return
    _demand_the_host()
    try:
        system.bring_about(order.mail, order.hostname)
    except (NotDone, Failed) as trouble:
        raise CannotDo(str(trouble)) from None


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


HANDLERS: dict[str, Callable[[Order, MailSystem], None]] = {"hostname": set_hostname, "mail": set_mail}
