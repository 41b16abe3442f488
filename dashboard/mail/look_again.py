"""While somebody looks at the page, Amazon is asked more often."""

from datetime import timedelta

from django.utils import timezone

from dashboard.mail.assistant import Found
from engine import actions as engine
from engine.models import Run

WATCH = "WatchSending"
SOON, REST = timedelta(minutes=1), timedelta(minutes=15)


def soon(found: Found) -> None:
    """Wakes the loop that watches the account if it has rested for a minute and would rest for longer."""
    if found.in_use is None:
        return
    now, subject = timezone.now(), f"sending:{found.server.pk}"
    resting = Run.objects.filter(
        program=WATCH, subject=subject, finished_at=None, due_at__gt=now + SOON, due_at__lt=now + REST - SOON
    )
    engine.wake_runs(list(resting.values_list("pk", flat=True)))
