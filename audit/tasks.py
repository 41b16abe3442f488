"""What the clock asks of the audit log."""

import logging

from celery import shared_task
from django.conf import settings

from audit import faults, months

log = logging.getLogger("audit")


@shared_task(name="audit.turn_months", ignore_result=True)
def turn_months() -> None:
    """Every day, so that a day on which it could not be done does no harm."""
    for turned in months.turn(settings.AUDIT_KEPT):
        log.info("%s the month %s with %s events", turned.did, turned.month, turned.events)


@shared_task(name="audit.forget_faults", ignore_result=True)
def forget_faults() -> None:
    """Every day: what broke long ago leads nowhere any more."""
    faults.forget()
