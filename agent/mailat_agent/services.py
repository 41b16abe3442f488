"""Which of the watched units run, asked of systemd in one call."""

import os
import subprocess

SYSTEMD = "/run/systemd/system"  # exists where systemd is the init, sd_booted(3)
PATIENCE = 10.0  # seconds

# Units that systemd calls otherwise, such as activating, do not serve yet or no longer.
_STATES = {
    "active": "active",
    "reloading": "active",
    "refreshing": "active",
    "failed": "failed",
    "unknown": "unknown",
}


def states(names: tuple[str, ...]) -> dict[str, str]:
    """`active`, `inactive`, `failed` or, where systemd does not say, `unknown`, by unit."""
    said = _ask(names) if names and os.path.isdir(SYSTEMD) else []
    if len(said) != len(names):
        return dict.fromkeys(names, "unknown")
    return {name: _STATES.get(state, "inactive") for name, state in zip(names, said, strict=True)}


def _ask(names: tuple[str, ...]) -> list[str]:
    command = ["systemctl", "is-active", "--", *names]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,  # it exits with an error as soon as one unit is not active
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.decode("ascii", "replace").split()
