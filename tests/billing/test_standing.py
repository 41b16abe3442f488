"""Where a subscription stands, for every word and date that Gumroad's API puts together."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import Subscription
from billing.puzzle import Puzzle
from billing.standing import Standing, standing
from clients.gumroad import Subscriber

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAST, LATER = NOW - timedelta(days=2), NOW + timedelta(days=20)
ALIVE, ENDING, ENDED = Subscription.Status.ALIVE, Subscription.Status.ENDING, Subscription.Status.ENDED


def stands(status: str, **dates: datetime) -> Standing:
    return standing(Subscriber(id="S==", product_id="product==", status=status, **dates), now=NOW)


@pytest.mark.parametrize("status", ["alive", "pending_failure"])
def test_a_payment_that_is_tried_again_is_paid_meanwhile(status: str) -> None:
    assert stands(status) == Standing(ALIVE)


@pytest.mark.parametrize("status", ["pending_cancellation", "pending_failure", "alive"])
def test_an_announced_end_counts_whatever_the_status_says(status: str) -> None:
    assert stands(status, cancelled_at=LATER) == Standing(ENDING, ends_at=LATER)


def test_in_the_minute_before_gumroad_tidies_up_it_is_still_ending() -> None:
    assert stands("alive", cancelled_at=PAST) == Standing(ENDING, ends_at=PAST)


@pytest.mark.parametrize(
    ("status", "date"),
    [
        ("cancelled", "cancelled_at"),
        ("failed_payment", "failed_at"),
        ("fixed_subscription_period_ended", "ended_at"),
    ],
)
def test_each_kind_of_end_has_its_date(status: str, date: str) -> None:
    others = {name: LATER for name in ("cancelled_at", "failed_at", "ended_at") if name != date}
    assert stands(status, **{date: PAST}, **others) == Standing(ENDED, PAST, PAST, status)


def test_an_end_that_was_brought_forward_is_over_now_and_keeps_its_date() -> None:
    assert stands("cancelled", cancelled_at=LATER) == Standing(ENDED, LATER, NOW, "cancelled")


def test_an_end_of_another_date_is_better_than_none() -> None:
    assert stands("failed_payment", cancelled_at=PAST) == Standing(ENDED, PAST, PAST, "failed_payment")


def test_an_end_without_a_date_is_now() -> None:
    assert stands("cancelled") == Standing(ENDED, None, NOW, "cancelled")


@pytest.mark.parametrize("status", ["", "paused", "Alive", "ended"])
def test_a_word_that_is_new_is_never_guessed(status: str) -> None:
    with pytest.raises(Puzzle, match="not known"):
        stands(status)
