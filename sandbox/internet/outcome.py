"""What became of a letter, for one recipient."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one recipient: the last word of the server that had it."""

    recipient: str
    code: int
    said: str
    server: str = ""
    tls: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def later(self) -> bool:
        return 400 <= self.code < 500
