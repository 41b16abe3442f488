"""What happens in a life, and what is right for it: both are made without a look at the rules that are judged."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

HOUR, DAY = 3600.0, 86400.0
GRACE, NOTICE = 7 * DAY, DAY  # what was promised, typed here once more
TICK = 5.0
Kind = Literal["end", "back"]


@dataclass
class Script:
    """Seconds from the moment at which the first end is heard of."""

    events: list[tuple[float, Kind, float]] = field(
        default_factory=list
    )  # when, what, how long ago the end was
    nobody_works: list[tuple[float, float]] = field(default_factory=list)
    deaths: int = 0  # so many workers die over the step that would begin the deletion


@dataclass
class Fate:
    """When the deletion began, if it did; `held` are the leases of those who died."""

    begun: float | None = None
    held: list[tuple[float, float]] = field(default_factory=list)
    too_late_to_stay: bool = False


def write(number: int) -> Script:
    """The life of this number, the same each time."""
    chance = random.Random(f"life {number}")
    script = Script()
    ago = chance.choice((0.0, chance.uniform(0, 60), chance.uniform(0, 3 * DAY), chance.uniform(0, 40 * DAY)))
    script.events.append((0.0, "end", ago))
    _add_returns(script, chance, max(GRACE - ago, NOTICE))
    last = max(at for at, _, _ in script.events) + GRACE
    for _ in range(chance.choice((0, 0, 1, 2))):
        begins = chance.choice((chance.uniform(0, last), last - chance.uniform(0, 6 * HOUR)))
        script.nobody_works.append(
            (begins, begins + chance.choice((60.0, HOUR, 12 * HOUR, 3 * DAY)) * chance.random())
        )
    script.deaths = chance.choice((0, 0, 0, 1, 2, 5))
    return script


def _add_returns(script: Script, chance: random.Random, due: float) -> None:
    """Some come back, often in the last minutes or a little too late, and some of those end once more."""
    at = 0.0
    while chance.random() < 0.35 and len(script.events) < 7:
        at += chance.choice(
            (chance.uniform(0, due), due + chance.uniform(-600, 600), due + chance.uniform(-2, 2))
        )
        script.events.append((max(at, 0.001), "back", 0.0))
        if chance.random() < 0.5:
            return
        at, ago = at + chance.uniform(1, 5 * DAY), chance.uniform(0, 2 * DAY)
        script.events.append((at, "end", ago))
        due = max(GRACE - ago, NOTICE)


def verdict(script: Script, fate: Fate) -> tuple[str, float]:
    """`kept`, `in time`, `early` or `late`, and by how many seconds it was early or after it could be."""
    due = _due(script, fate)
    if due is None or fate.begun is None:
        is_right = due is None and fate.begun is None
        return ("kept", 0.0) if is_right else (("late", 0.0) if fate.begun is None else ("early", 0.0))
    if fate.begun < due:
        return "early", due - fate.begun
    over = fate.begun - _possible(due, script.nobody_works + fate.held)
    return ("late" if over > TICK else "in time"), max(over, 0.0)


def _due(script: Script, fate: Fate) -> float | None:
    """The day that counts: of the last end that nobody took back in time."""
    due: float | None = None
    for at, kind, ago in script.events:
        if fate.begun is not None and at > fate.begun:
            break
        if kind == "back":
            due = None
        elif due is None:
            due = max(at - ago + GRACE, at + NOTICE)
    return due


def _possible(due: float, gaps: list[tuple[float, float]]) -> float:
    """The first moment from then on at which somebody works and nobody dead holds it."""
    moved = True
    while moved:
        moved = False
        for begins, ends in gaps:
            if begins - TICK <= due < ends:
                due, moved = ends, True
    return due


def as_time(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
