"""Plain lines for journald; callers never pass a secret or text that somebody else wrote."""

import contextlib
import os


def say(line: str) -> None:
    """Write one line to stderr, unbuffered, so that a signal handler may speak too and nothing is lost."""
    with contextlib.suppress(OSError):
        os.write(2, f"mailat-agent: {line}\n".encode())
