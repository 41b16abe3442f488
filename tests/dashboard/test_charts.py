"""Charts: gaps stay gaps, and a figure that is none draws nothing."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from dashboard import figures
from dashboard.charts import Chart, Kind, Line, Window, draw, nice_top
from servers.models import Metric
from tests.dashboard import world

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = Window(NOW, timedelta(hours=1), timedelta(minutes=1))
MONTH = Window(NOW, timedelta(days=30), timedelta(hours=4))
CPU = Kind("cpu", "Processor", (Line("cpu", "Processor"),), figures.percent, top=100)
NETWORK = Kind(
    "network", "Network", (Line("received", "in"), Line("sent", "out")), figures.speed, least_top=1000
)


@dataclass(frozen=True)
class Point:
    at: datetime
    cpu: float | None = 10
    received: float | None = None
    sent: float | None = None


def ago(minutes: float, **fields: float | None) -> Point:
    return replace(Point(NOW - timedelta(minutes=minutes)), **fields)  # type: ignore[arg-type]


def chart(*points: Point, kind: Kind = CPU, window: Window = HOUR) -> Chart:
    return draw(kind, points, window, lambda at: f"{at:%H:%M}")


def numbers(path: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", path)]


def test_no_points_draw_nothing() -> None:
    drawn = chart()
    assert drawn.marks == []
    assert drawn.strokes[0].paths == drawn.strokes[0].dots == []
    assert drawn.says == ""


def test_one_point_is_a_dot() -> None:
    stroke = chart(ago(30)).strokes[0]
    assert stroke.paths == []
    assert len(stroke.dots) == 1


def test_points_in_a_row_are_one_line() -> None:
    stroke = chart(*(ago(minutes) for minutes in range(10, 0, -1))).strokes[0]
    assert len(stroke.paths) == 1
    assert stroke.paths[0].count("L") == 9


def test_a_silence_breaks_the_line() -> None:
    stroke = chart(*(ago(minutes) for minutes in (20, 19, 18, 9, 8, 7))).strokes[0]
    assert len(stroke.paths) == len(stroke.areas) == 2


def test_a_single_missed_report_does_not() -> None:
    assert len(chart(ago(10), ago(8), ago(7)).strokes[0].paths) == 1


def test_in_a_month_a_missing_piece_breaks_the_line() -> None:
    points = [ago(60 * hours) for hours in (24, 20, 12, 8)]
    assert len(chart(*points, window=MONTH).strokes[0].paths) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_no_number_is_a_gap(value: float | None) -> None:
    points = [ago(minutes) for minutes in (9, 8)] + [ago(m, cpu=value) for m in (7, 6, 5)] + [ago(4), ago(3)]
    drawn = chart(*points)
    assert len(drawn.strokes[0].paths) == 2
    assert len(drawn.marks) == 4


def test_the_newest_is_at_the_right_and_the_oldest_at_the_left() -> None:
    drawn = chart(ago(60), ago(1))
    assert drawn.marks[0].left == 0
    assert drawn.marks[-1].left + drawn.marks[-1].width == pytest.approx(1000, abs=0.5)


def test_values_stay_inside_the_chart() -> None:
    path = chart(ago(3, cpu=-40), ago(2, cpu=100), ago(1, cpu=900)).strokes[0].paths[0]
    assert numbers(path)[1::2] == [100, 0, 0]


def test_exact_values_are_told_with_their_time() -> None:
    assert chart(ago(30, cpu=42.4)).marks[0].says == "11:30: 42 %"
    mark = chart(ago(30, cpu=None, received=2048, sent=None), kind=NETWORK).marks[0]
    assert mark.says == "11:30: in 2.0 kB/s, out –"  # noqa: RUF001
    assert mark.dots.count("M") == 1


def test_the_description_tells_least_most_and_mean() -> None:
    assert chart(ago(3, cpu=10), ago(2, cpu=30)).says == "Processor: from 10 % to 30 %, on average 20 %."


@given(st.floats(0, 1e18))
def test_a_scale_ends_above_all_figures_and_not_far(greatest: float) -> None:
    top = nice_top(greatest, 1)
    assert top >= greatest
    assert top == 1 or top <= greatest * 2.5 * (1 + 1e-9)


figure = st.none() | st.floats(allow_nan=True, allow_infinity=True)
moments = st.lists(st.tuples(st.floats(0, 60), figure, figure), max_size=80)


@given(moments)
def test_whatever_is_measured_can_be_drawn(told: list[tuple[float, float | None, float | None]]) -> None:
    points = [ago(m, cpu=None, received=r, sent=s) for m, r, s in sorted(told, key=lambda one: -one[0])]
    drawn = chart(*points, kind=NETWORK)
    for stroke in drawn.strokes:
        for path in stroke.paths + stroke.dots:
            assert "nan" not in path
            assert "inf" not in path
            assert all(0 <= y <= 100 for y in numbers(path.removesuffix("h0"))[1::2])


# --- on the page


def test_a_gap_is_on_the_page_and_the_table_says_the_same(as_alice: Client, account: Account) -> None:
    one = world.running(account)
    world.measured(one, 60, leave_out=range(20, 30))
    page = as_alice.get(f"/servers/{one.pk}/charts").content.decode()
    cpu = page[page.index('id="chart-cpu"') : page.index('id="chart-memory"')]
    assert cpu.count('class="line"') == 2
    rows = page.count("<tr><th>")
    assert cpu.count("<rect") == rows
    assert 45 <= rows <= 52


def test_a_month_and_a_day_are_drawn(as_alice: Client, account: Account) -> None:
    one = world.running(account)
    world.measured(one, 300)
    for span in ("day", "month"):
        page = as_alice.get(f"/servers/{one.pk}?span={span}").content.decode()
        assert f'href="/servers/{one.pk}?span={span}"' in page
        assert 'class="line"' in page or 'class="dot"' in page


def test_an_unknown_span_is_the_hour(as_alice: Client, account: Account) -> None:
    one = world.running(account)
    assert "The last hour" in as_alice.get(f"/servers/{one.pk}/charts?span=<b>").content.decode()


def test_nothing_measured_is_said(as_alice: Client, account: Account) -> None:
    page = as_alice.get(f"/servers/{world.running(account).pk}/charts").content.decode()
    assert "The charts begin with the first report" in page


def test_times_are_those_of_the_reader(as_alice: Client, account: Account) -> None:
    one = world.running(account)
    at = timezone.now().replace(second=30, microsecond=0) - timedelta(minutes=20)
    Metric.objects.bulk_create([Metric(server=one, at=at, cpu=12.0)])
    berlin = at.astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{berlin:%H:%M}: 12 %" in as_alice.get(f"/servers/{one.pk}/charts").content.decode()
    as_alice.cookies["zone"] = "Asia%2FTokyo"
    assert f"{berlin:%H:%M}: 12 %" not in as_alice.get(f"/servers/{one.pk}/charts").content.decode()
