"""Where a subscription stands, worked out from what Gumroad's API answers and from nothing else.

Source: `status`, `alive?` and `termination_reason` of `app/models/subscription.rb` in https://github.com/antiwork/gumroad. Two
traps: a payment that failed hides a pending cancellation, and in the minute between the end of the paid time and Gumroad's
clean-up the status is `alive` again. So an announced end counts whatever the status says.
"""

from dataclasses import dataclass
from datetime import datetime

from billing.models import Subscription
from billing.policy import STATES, State
from billing.puzzle import Puzzle
from clients.gumroad import Subscriber

Status = Subscription.Status


@dataclass(frozen=True)
class Standing:
    """`ends_at` is the end that Gumroad tells, past or to come; `ended_at` and `reason` are there once it has ended."""

    status: Subscription.Status
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


def standing(subscriber: Subscriber, *, now: datetime) -> Standing:
    """Raises Puzzle if Gumroad's word for the state is a new one."""
    state = STATES.get(subscriber.status)
    if state is None:
        raise Puzzle.of(
            "status",
            about=f"subscription:{subscriber.id}",
            status=subscriber.status[:40],
            subscription=subscriber.id,
        )
    if state.status == Status.ENDED:
        return _over(subscriber, state, now)
    if subscriber.cancelled_at:
        return Standing(Status.ENDING, ends_at=subscriber.cancelled_at)
    return Standing(Status.ALIVE)


def _over(subscriber: Subscriber, state: State, now: datetime) -> Standing:
    """An end that was brought forward keeps its old date at Gumroad, so what has ended may bear a date that is to come."""
    told: datetime | None = getattr(subscriber, state.ended_at)
    told = told or subscriber.ended_at or subscriber.failed_at or subscriber.cancelled_at
    return Standing(Status.ENDED, told, min(told or now, now), subscriber.status)
