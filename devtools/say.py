"""What a person sees while things are being set up: a line per stage, with the time it took."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Failed(Exception):
    """Something that the person at the terminal can understand; shown without a traceback."""


class Stage:
    """One line that counts its seconds while it runs, and says now and then what it waits for."""

    def __init__(self, title: str, out: TextIO) -> None:
        self.title, self.out = title, out
        self.note = ""
        self.began = time.monotonic()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def start(self) -> None:
        self._ticker.start()

    def end(self, word: str = "") -> None:
        self._over.set()
        self._ticker.join()
        start = "\r\033[K" if self.out.isatty() else ""
        note = f"  {self.note}" if self.note else ""
        self._write(f"{start}  {self.title:<34}{self._seconds():>8}{word}{note}\n")

    def _tick(self) -> None:
        pause = 0.5 if self.out.isatty() else 15.0
        while not self._over.wait(pause):
            note = f"  {self.note}"[:60] if self.note else ""
            if self.out.isatty():
                self._write(f"\r\033[K  {self.title:<34}{self._seconds():>8} …{note}")
            else:
                self._write(f"  {self.title} … {self._seconds()}{note}\n")

    def _seconds(self) -> str:
        return f"{time.monotonic() - self.began:.1f} s"

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()


@contextmanager
def stage(title: str, out: TextIO | None = None) -> Iterator[Stage]:
    """Shows that this is under way, and how long it took; a failure is marked and passed on."""
    line = Stage(title, out or sys.stderr)
    line.start()
    try:
        yield line
    except BaseException:
        line.end("  failed")
        raise
    line.end()


def say(text: str = "", out: TextIO | None = None) -> None:
    print(text, file=out or sys.stderr, flush=True)


def box(title: str, rows: list[tuple[str, str]]) -> str:
    """A frame around pairs of name and value."""
    lines = [f"{name:<10}{value}" for name, value in rows]
    width = max(len(line) for line in [title, *lines]) + 2
    frame = ["┌" + "─" * width + "┐", f"│ {title:<{width - 1}}│", "├" + "─" * width + "┤"]
    return "\n".join([*frame, *(f"│ {line:<{width - 1}}│" for line in lines), "└" + "─" * width + "┘"])
