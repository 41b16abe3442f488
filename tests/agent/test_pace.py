"""The agent speaks as often as it is told, within bounds that nobody moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent.pace import Pace

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.lists(ANYTHING), st.integers() | st.floats(allow_nan=False))
def test_whatever_it_is_told_it_waits_one_second_to_five_minutes(told: list[object], longest: float) -> None:
    pace = Pace()
    pace.bounded(longest)
    for poll in told:
        pace.told(poll)

        assert 1 <= pace.after_success() <= 300


@pytest.mark.parametrize(
    ("poll", "wait"), [(30, 30), (1.5, 1.5), (0, 1), (-5, 1), (301, 300), (10**400, 300)]
)
def test_it_waits_as_told(poll: float, wait: float) -> None:
    pace = Pace()
    pace.told(poll)

    assert pace.after_success() == wait


@pytest.mark.parametrize("poll", [None, True, "30", [30], float("nan"), {}])
def test_what_is_no_number_changes_nothing(poll: object) -> None:
    pace = Pace()
    pace.told(30)
    pace.told(poll)

    assert pace.after_success() == 30


def test_a_signed_order_bounds_what_an_answer_may_say() -> None:
    pace = Pace()
    pace.told(300)
    pace.bounded(60)

    assert pace.after_success() == 60


def test_failures_double_the_wait_up_to_five_minutes() -> None:
    pace = Pace()
    waits = [pace.after_failure() for _ in range(2000)]

    for ceiling, wait in zip((1, 2, 4, 8, 16, 32, 64, 128, 256), waits, strict=False):
        assert ceiling / 2 <= wait <= ceiling
    assert all(150 <= wait <= 300 for wait in waits[9:])


def test_a_fleet_does_not_come_back_at_once() -> None:
    fleet = [Pace() for _ in range(50)]

    assert len({pace.after_failure() for pace in fleet}) > 40


def test_after_an_answer_patience_begins_anew() -> None:
    pace = Pace()
    for _ in range(8):
        pace.after_failure()
    pace.after_success()

    assert pace.after_failure() <= 1


@given(st.floats(0, 1e8))
def test_it_is_asked_to_stay_away_and_does_so_for_five_minutes_at_most(asked: float) -> None:
    wait = Pace().after_failure(asked)

    assert min(asked, 300) <= wait <= 300
