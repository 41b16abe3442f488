"""The holder's side of the leash: starts a command, and ends it by letting go."""

from __future__ import annotations

import contextlib
import pathlib
import re
import subprocess
import sys

LEASH = pathlib.Path(__file__).with_name("leash.py")
CONTROLS = re.compile(
    r"\x1b\][^\x07\x1b]*\x07?|\x1b\[[0-?]*[ -/]*[@-~]|[^\n\t\x20-\uffff]|\x7f"
)  # colours, titles, bells
PATIENCE = 20  # seconds until a process group that was sent SIGKILL must be gone


def on_a_leash(command: list[str]) -> list[str]:
    """The command that runs `command` for as long as someone holds the other end of its standard input."""
    return [sys.executable, "-I", str(LEASH), *command]


class Leashed:
    """A running command whose output goes to the end of a file."""

    def __init__(self, command: list[str], console: pathlib.Path, env: dict[str, str] | None = None) -> None:
        with console.open("ab") as out:
            self._process = subprocess.Popen(
                on_a_leash(command),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=env,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        return self._process.wait()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def tail(console: pathlib.Path, lines: int = 200) -> str:
    """The last lines of a console, at most 64 KiB of them; empty where nothing was written yet."""
    try:
        with console.open("rb") as file:
            file.seek(max(0, console.stat().st_size - 65536))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(CONTROLS.sub("", text).splitlines()[-lines:])
