"""Runs a command that must not outlive whoever holds the other end of our standard input.

Started by path as `python -I leash.py COMMAND…`. A holder that dies in any way, even by SIGKILL, closes its end; then the
command's whole process group is killed. A parent-death signal alone would not do: it follows the thread that started the
child, and machines are started from threads that end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """The command's exit status, 128 + signal where a signal ended it."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_the_leash
    )
    threading.Thread(target=_kill_when_let_go, args=(child.pid,), daemon=True).start()
    status = child.wait()
    _kill_group(child.pid)
    return status if status >= 0 else 128 - status


def _die_with_the_leash() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_when_let_go(group: int) -> None:
    while os.read(0, 1024):
        pass
    _kill_group(group)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
