"""The clock's doors."""

from celery import shared_task

from sending import suppression, testers
from sending.actions import forget_notices


@shared_task(name="sending.forget", ignore_result=True)
def forget() -> None:
    """What Amazon told long ago leaves."""
    forget_notices()
    testers.forget_old()


@shared_task(name="sending.forget_suppressed", ignore_result=True)
def forget_suppressed() -> None:
    """Whom Amazon no longer writes to is kept for an hour at most."""
    suppression.forget_old()
