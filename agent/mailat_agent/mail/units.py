"""Units of systemd: started, and started again after a reboot."""

import contextlib
from collections.abc import Iterable

from .commands import Failed, run

_FIELDS = ("LoadState", "UnitFileState", "ActiveState")
_RISING = ("active", "activating", "reloading", "refreshing")


def states(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """`LoadState`, `UnitFileState` and `ActiveState` of each unit (systemctl(1)), asked in one call; raises Failed."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    said = run(["systemctl", "show", f"--property={','.join(_FIELDS)}", "--", *wanted])
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in said.strip().split("\n\n")]
    return dict(zip(wanted, blocks, strict=True))


def down(names: Iterable[str]) -> list[str]:
    """Those that neither run nor are about to."""
    return [name for name, state in states(names).items() if state["ActiveState"] not in _RISING]


def ensure(names: Iterable[str]) -> None:
    """Enable and start what is not, all at once as far as systemd's order allows; raises Failed."""
    said = states(names)
    if later := [name for name, state in said.items() if state["UnitFileState"] == "disabled"]:
        run(["systemctl", "enable", "--", *later])
    if idle := [name for name, state in said.items() if state["ActiveState"] not in _RISING]:
        start(idle)


def start(names: Iterable[str]) -> None:
    """Start units, also those that systemd gave up because they failed too often; raises Failed."""
    with contextlib.suppress(Failed):  # of a unit that systemd forgot there is nothing to reset
        run(["systemctl", "reset-failed", "--", *names])
    run(["systemctl", "start", "--", *names], patience=120.0)


def read_anew() -> None:
    """Let systemd read unit files that changed; raises Failed."""
    run(["systemctl", "daemon-reload"])
