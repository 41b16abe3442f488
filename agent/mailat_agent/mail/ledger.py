"""What is remembered of updates; written before anything depends on it, so that the agent may be killed at any line."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..files import write_whole

FILE = "patches.json"
LAPSE = 1800.0  # seconds for which a probe may fail and still count as one that worked
TESTING, TAKING_BACK = "testing", "taking back"


@dataclass
class Trial:
    """An update that has not proven itself yet: which packages, from what, to what, and what worked before."""

    at: float
    before: dict[str, str]
    after: dict[str, str]
    fine: list[str]
    stage: str = TESTING
    why: str = ""


@dataclass
class Ledger:
    """`known`: the versions last found good; `published`: since when a fix ("package version") is there;
    `held`: packages whose update was taken back, with the version that failed; `well`: when each probe last worked;
    `rebooted`: the start of the window that a reboot was spent in; `boot`: the boot in which that was ordered.
    """

    known: dict[str, str] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)
    applied: list[dict[str, Any]] = field(default_factory=list)
    taken_back: list[dict[str, Any]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    well: dict[str, float] = field(default_factory=dict)
    after: dict[str, Any] | None = None
    trial: Trial | None = None
    kicked: dict[str, float] = field(default_factory=dict)
    rebooted: float = 0.0
    boot: str = ""

    def fine(self) -> list[str]:
        """What worked of late, as long as anything did: a daemon that is just being started again is no less expected."""
        last = max(self.well.values(), default=0.0)
        return [name for name, at in self.well.items() if at >= last - LAPSE]

    @classmethod
    def read(cls, home: Path) -> "Ledger":
        """As it was last written; a new one where there is none or it cannot be read."""
        try:
            kept = json.loads((home / FILE).read_text(encoding="utf-8"))
            ledger = cls(**{each.name: kept[each.name] for each in fields(cls) if each.name in kept})
            ledger.trial = Trial(**kept["trial"]) if kept.get("trial") else None
        except (OSError, ValueError, TypeError, AttributeError):
            return cls()
        return ledger

    def write(self, home: Path) -> None:
        write_whole(home / FILE, json.dumps(asdict(self)))
