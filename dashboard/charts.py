"""Charts as geometry: from points in time to the paths of an SVG, without a line where nothing was measured."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from django.utils.translation import gettext as _

from dashboard.figures import finite

WIDTH = 1000
HEIGHT = 100
Clock = Callable[[datetime], str]


class Measured(Protocol):
    """A mean that begins at `at`; its figures are read by name."""

    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True)
class Window:
    """The stretch of time that a chart shows, and how much of it each point stands for."""

    end: datetime
    length: timedelta
    width: timedelta

    @property
    def gap(self) -> timedelta:
        """A silence longer than this breaks the line; one report may be missed."""
        return max(self.width * 1.5, timedelta(seconds=180))

    def x(self, at: datetime) -> int:
        return round(WIDTH * (1 - (self.end - at) / self.length))

    def middle(self, at: datetime) -> datetime:
        """The middle of the point that begins at `at`, as far as it has come."""
        return at + (min(at + self.width, self.end) - at) / 2


@dataclass(frozen=True)
class Line:
    """One figure of a chart: the name of a point's field, and in words."""

    field: str
    name: str


@dataclass(frozen=True)
class Kind:
    """What a chart shows; `top` is the fixed upper end of its scale, or None where it fits the figures.

    `every` says how often it is measured, where that is more rarely than with each report.
    """

    key: str
    name: str
    lines: tuple[Line, ...]
    says: Callable[[float | None], str]
    top: float | None = None
    least_top: float = 1
    every: timedelta = timedelta()

    def gap(self, window: Window) -> timedelta:
        """A silence longer than this breaks the line."""
        return max(window.gap, self.every * 2.5)


@dataclass
class Stroke:
    """A line as drawn: its runs between gaps, the ground under them, and points that stand alone."""

    line: Line
    number: int
    paths: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    dots: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mark:
    """What one place on the time axis tells when it is pointed at."""

    left: float
    width: float
    dots: str
    says: str


@dataclass(frozen=True)
class Chart:
    kind: Kind
    top: str
    half: str
    strokes: list[Stroke]
    marks: list[Mark]
    says: str


def draw(kind: Kind, points: Sequence[Measured], window: Window, clock: Clock) -> Chart:
    """The chart of these points, the oldest first; `clock` says a time for people."""
    told = [point for point in points if any(value_of(point, line) is not None for line in kind.lines)]
    top = kind.top or nice_top(_greatest(told, kind), kind.least_top)
    return Chart(
        kind=kind,
        top=kind.says(top),
        half=kind.says(top / 2),
        strokes=[_stroke(kind, number, told, window, top) for number in range(len(kind.lines))],
        marks=[_mark(kind, point, window, top, clock) for point in told],
        says=_summary(kind, told),
    )


def value_of(point: Measured, line: Line) -> float | None:
    return finite(getattr(point, line.field))


def _greatest(told: Sequence[Measured], kind: Kind) -> float:
    return max((value_of(point, line) or 0 for point in told for line in kind.lines), default=0)


def nice_top(greatest: float, least: float) -> float:
    """The upper end of a scale: 1, 2 or 5 times a power of ten, and above all figures."""
    if greatest <= least:
        return least
    power = 10.0 ** math.floor(math.log10(greatest))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= greatest)


def _stroke(kind: Kind, number: int, told: Sequence[Measured], window: Window, top: float) -> Stroke:
    line = kind.lines[number]
    stroke = Stroke(line, number)
    heard = [point for point in told if value_of(point, line) is not None]
    for run in runs(heard, kind.gap(window)):
        places = [_place(point, value_of(point, line), window, top) for point in run]
        if len(places) == 1:
            stroke.dots.append(f"M{places[0]}h0")
            continue
        stroke.paths.append("M" + "L".join(places))
        stroke.areas.append(_area(run, line, window, top))
    return stroke


def _area(run: Sequence[Measured], line: Line, window: Window, top: float) -> str:
    """The ground under a line, to whole units: its edge lies under the line."""
    x = [window.x(window.middle(point.at)) for point in run]
    y = [round(y_of(value_of(point, line) or 0, top)) for point in run]
    return "M" + "L".join(f"{at} {high}" for at, high in zip(x, y, strict=True)) + f"V{HEIGHT}H{x[0]}Z"


def runs(heard: Sequence[Measured], gap: timedelta) -> list[list[Measured]]:
    """The points in runs between which nothing was heard for longer than `gap`."""
    found: list[list[Measured]] = []
    for point in heard:
        if found and point.at - found[-1][-1].at <= gap:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def _place(point: Measured, value: float | None, window: Window, top: float) -> str:
    return f"{window.x(window.middle(point.at)):g} {y_of(value or 0, top):g}"


def y_of(value: float, top: float) -> float:
    return round(HEIGHT * (1 - min(max(value / top, 0), 1)), 1)


def _mark(kind: Kind, point: Measured, window: Window, top: float, clock: Clock) -> Mark:
    values = [value for line in kind.lines if (value := value_of(point, line)) is not None]
    left, width = window.x(point.at), WIDTH * (max(window.width, kind.every) / window.length)
    return Mark(
        left=left,
        width=math.ceil(min(width, max(WIDTH - left, 0))),
        dots="".join(f"M{_place(point, value, window, top)}h0" for value in values),
        says=f"{clock(window.middle(point.at))}: {_values(kind, point)}",
    )


def _values(kind: Kind, point: Measured) -> str:
    if len(kind.lines) == 1:
        return kind.says(value_of(point, kind.lines[0]))
    return ", ".join(f"{line.name} {kind.says(value_of(point, line))}" for line in kind.lines)


def _summary(kind: Kind, told: Sequence[Measured]) -> str:
    """What the chart shows, in a sentence for each line."""
    sentences = []
    for line in kind.lines:
        values = [value for point in told if (value := value_of(point, line)) is not None]
        if values:
            facts = {
                "name": line.name,
                "least": kind.says(min(values)),
                "most": kind.says(max(values)),
                "mean": kind.says(sum(value / len(values) for value in values)),
            }
            sentences.append(_("%(name)s: from %(least)s to %(most)s, on average %(mean)s.") % facts)
    return " ".join(sentences)
