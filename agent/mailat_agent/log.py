"""Plain lines for journald; callers never pass a secret or text that somebody else wrote."""

import contextlib
import os
import traceback
from pathlib import Path


def say(line: str) -> None:
    """Write one line to stderr, unbuffered, so that a signal handler may speak too and nothing is lost."""
    with contextlib.suppress(OSError):
        os.write(2, f"mailat-agent: {line}\n".encode())


def place(bug: Exception) -> str:
    """Where an unforeseen exception came from, but not what it says: its text may hold anything."""
    frame = traceback.extract_tb(bug.__traceback__)[-1]
    return f"in {Path(frame.filename).name}:{frame.lineno}"
