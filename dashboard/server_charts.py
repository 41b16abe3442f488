"""The charts of a server: which figures, and over which time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard import figures
from dashboard.charts import Chart, Clock, Kind, Line, Window, draw
from servers import metrics
from servers.desired import CANARY_EVERY
from servers.models import Server

TICKS = 4


@dataclass(frozen=True)
class Tick:
    """A time under the charts; `place` in percent of the width."""

    place: int
    anchor: str
    says: str


@dataclass(frozen=True)
class Charts:
    span: str
    charts: list[Chart]
    ticks: list[Tick]
    rows: list[tuple[str, ...]]


def kinds() -> list[Kind]:
    return [
        Kind(
            "canary",
            _("A mail’s way out and back"),  # noqa: RUF001
            (Line("canary", _("Time")),),
            figures.seconds,
            every=timedelta(seconds=CANARY_EVERY),
        ),
        Kind("cpu", _("Processor"), (Line("cpu", _("Processor")),), figures.percent, top=100),
        Kind("memory", _("Memory"), (Line("memory", _("Memory")),), figures.percent, top=100),
        Kind("disk", _("Disk"), (Line("disk", _("Disk")),), figures.percent, top=100),
        Kind("load", _("Load"), (Line("load", _("Load")),), figures.load),
        Kind(
            "network",
            _("Network"),
            (Line("received", _("in")), Line("sent", _("out"))),
            figures.speed,
            least_top=1000,
        ),
    ]


def charts_of(server: Server, span: str) -> Charts:
    """The server's charts of the last hour, day or month."""
    key = cast(metrics.Span, span)
    length, width = metrics.SPANS[key]
    points = metrics.series(server, key)
    window = Window(timezone.now(), length, width)
    clock = clock_of(length)
    drawn = [draw(kind, points, window, clock) for kind in kinds()]
    rows = [_row(point, window, clock) for point in reversed(points)]
    return Charts(span, drawn, _ticks(window, clock), rows)


def clock_of(length: timedelta) -> Clock:
    """How times are told within this length: by the clock within a day, with the date beyond."""
    pattern = "H:i" if length <= timedelta(days=1) else "j M, H:i"
    return lambda at: date_format(timezone.localtime(at), pattern)


def _row(point: metrics.Point, window: Window, clock: Clock) -> tuple[str, ...]:
    return (
        clock(window.middle(point.at)),
        figures.seconds(figures.finite(point.canary)),
        figures.percent(figures.finite(point.cpu)),
        figures.percent(figures.finite(point.memory)),
        figures.percent(figures.finite(point.disk)),
        figures.load(figures.finite(point.load)),
        figures.speed(figures.finite(point.received)),
        figures.speed(figures.finite(point.sent)),
    )


def _ticks(window: Window, clock: Clock) -> list[Tick]:
    begin = window.end - window.length
    anchors = ["start", *["middle"] * (TICKS - 1), "end"]
    short = _day_only if window.length > timedelta(days=1) else clock
    return [
        Tick(100 * n // TICKS, anchor, short(begin + window.length * n / TICKS))
        for n, anchor in enumerate(anchors)
    ]


def _day_only(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M")
