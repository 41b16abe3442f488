"""Numbers of reports that only ever grow, so that their order is known whatever the clocks say."""

from pathlib import Path

from .files import write_whole
from .log import say

FILE = "sequence"
BLOCK = 1000  # numbers reserved by one write; those unused at a restart are skipped


class Sequence:
    """Counts on from what was reserved before; a disk that takes no write stops no report."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE
        self.last = self.reserved = _reserved(self.path)

    def next(self) -> int:
        """The number of the next report."""
        if self.last >= self.reserved:
            self._reserve()
        self.last += 1
        return self.last

    def _reserve(self) -> None:
        try:
            write_whole(self.path, f"{self.last + BLOCK}\n")
        except OSError as error:
            say(f"cannot write {self.path}: {error.strerror}")
            return
        self.reserved = self.last + BLOCK


def _reserved(path: Path) -> int:
    try:
        return max(0, int(path.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return 0
