"""Where a subscription stands, worked out from what Gumroad's API answers and from nothing else.

Source: `status`, `alive?` and `termination_reason` of `app/models/subscription.rb` in https://github.com/antiwork/gumroad. Two
traps: a payment that failed hides a pending cancellation, and in the minute between the end of the paid time and Gumroad's
clean-up the status is `alive` again. So an announced end counts whatever the status says.
"""

from dataclasses import dataclass
from datetime import datetime

from billing.models import Subscription
from billing.puzzle import Puzzle
from clients.gumroad import Subscriber

Status = Subscription.Status
LIVE = {"alive", "pending_cancellation", "pending_failure"}
ENDED_AT = {
    "cancelled": "cancelled_at",
    "failed_payment": "failed_at",
    "fixed_subscription_period_ended": "ended_at",
}


@dataclass(frozen=True)
class Standing:
    """`ends_at` is the end that Gumroad tells, past or to come; `ended_at` and `reason` are there once it has ended."""

    status: Subscription.Status
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


def standing(subscriber: Subscriber, *, now: datetime) -> Standing:
    """Raises Puzzle if Gumroad's word for the state is a new one."""
    if subscriber.status in ENDED_AT:
        return _over(subscriber, now)
    if subscriber.status not in LIVE:
        raise Puzzle(
            f"Gumroad says “{subscriber.status[:40]}” of the subscription {subscriber.id}, which is not known.",
            advice="Look at the subscription at Gumroad, and teach billing/standing.py the word.",
            about=f"subscription:{subscriber.id}",
        )
    if subscriber.cancelled_at:
        return Standing(Status.ENDING, ends_at=subscriber.cancelled_at)
    return Standing(Status.ALIVE)


def _over(subscriber: Subscriber, now: datetime) -> Standing:
    """An end that was brought forward keeps its old date at Gumroad, so what has ended may bear a date that is to come."""
    told: datetime | None = getattr(subscriber, ENDED_AT[subscriber.status])
    told = told or subscriber.ended_at or subscriber.failed_at or subscriber.cancelled_at
    return Standing(Status.ENDED, told, min(told or now, now), subscriber.status)
