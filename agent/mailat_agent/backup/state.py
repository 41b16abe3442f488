"""What is known of earlier runs, in one file that is replaced as a whole."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..files import read_object, write_whole

FILE = "state.json"


@dataclass
class State:
    """`began` is when a run was begun that has not ended, `next` when the next is due, both in Unix time, 0 for never.

    `escrowed` is the hash of the password that is in escrow, `untidy` whether forgotten points still have bytes, `jobs` the
    answers of jobs that orders name, `tries` how often each was begun, `restored` what each restore made, to take it back.
    """

    place: Path
    escrowed: str = ""
    began: float = 0.0
    failures: int = 0
    next: float = 0.0
    untidy: bool = False
    error: str = ""
    last: dict[str, Any] | None = None
    points: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    restored: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, own: Path) -> "State":
        """What was kept; what makes no sense counts as never said."""
        kept, state = read_object(own / FILE), cls(own / FILE)
        for each in fields(cls):
            value = kept.get(each.name)
            if each.name != "place" and value is not None and _fits(value, getattr(state, each.name)):
                setattr(state, each.name, value)
        return state

    def set(self, **changes: Any) -> None:
        """Change and keep."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {name: value for name, value in asdict(self).items() if name != "place"}
        write_whole(self.place, json.dumps(kept, sort_keys=True) + "\n")


def _fits(value: Any, other: Any) -> bool:
    if other is None:
        return isinstance(value, dict)
    if isinstance(other, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(other)
