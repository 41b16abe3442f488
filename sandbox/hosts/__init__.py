"""The machines behind the stand-in's servers: real Debian hosts where this computer allows, else processes."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from sandbox.hosts.base import Hosts, HostsUnavailable, Machine
from sandbox.hosts.debian.hosts import DebianHosts
from sandbox.hosts.debian.possible import why_not
from sandbox.hosts.fallback import FallbackHosts
from sandbox.hosts.none import NoHosts
from sandbox.hosts.process import ProcessHosts

KINDS = ("auto", "debian", "process", "none")

__all__ = ["KINDS", "Hosts", "HostsUnavailable", "Machine", "choose"]


def choose(
    kind: str,
    home: pathlib.Path,
    control_port: int,
    on_log: Callable[[str], None] = print,
    more_ports: tuple[int, ...] = (),
) -> Hosts:
    """The hosts of that kind, kept below `home`; raises HostsUnavailable where "debian" cannot be, ValueError for no kind.

    `more_ports` of this computer are reached by them at the control plane's address.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of host; one of {', '.join(KINDS)}")
    if kind == "none":
        return NoHosts("asked for: no machine is started, only the answers of the API are given")
    if kind == "process":
        return ProcessHosts(home, on_log, why="asked for: every server is the agent alone, as a process here")
    return _debian_or_not(kind, home, control_port, on_log, more_ports)


def _debian_or_not(
    kind: str,
    home: pathlib.Path,
    control_port: int,
    on_log: Callable[[str], None],
    more_ports: tuple[int, ...],
) -> Hosts:
    obstacle = why_not(home)
    if kind == "debian":
        if obstacle:
            raise HostsUnavailable(f"Debian hosts cannot run here: {obstacle}")
        return DebianHosts(
            home, control_port, on_log, "asked for: every server is a Debian 13 host", more_ports
        )
    if obstacle:
        why = f"real Debian hosts cannot run here ({obstacle}), so every server is the agent alone, as a process"
        return ProcessHosts(home, on_log, why=why)
    why = "this computer can run them, so every server is a real Debian 13 host in a namespace of its own"
    return FallbackHosts(DebianHosts(home, control_port, on_log, why, more_ports), home, on_log)
