"""Ties a child to its parent's life, so that a parent killed outright leaves nothing running."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def leash(on_death: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `on_death` when the parent is gone (Linux; elsewhere nothing).

    The kernel watches the thread that makes the child, so only a main thread may use this. It forgets the wish when
    the user changes, which Popen does before; see man 2 prctl.
    """
    parent = os.getpid()

    def tie() -> None:
        if LIBC is None:
            return
        LIBC.prctl(PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie
