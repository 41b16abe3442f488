"""What the clock asks of this room."""

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import actions, letters, limits, recovery, sessions
from accounts.programs import look_for_late_letters
from engine.models import Alarm

AT_ONCE = 50


@shared_task(name="accounts.forget_links", ignore_result=True)
def forget_links() -> None:
    """Old links and the letters that bore them leave, and browsers that were not seen for long."""
    actions.forget_links()
    sessions.forget()
    recovery.forget()


@shared_task(name="accounts.forget_counts", ignore_result=True, expires=300)
def forget_counts() -> None:
    """What limits counted leaves once it holds nobody off."""
    limits.forget()


@shared_task(name="accounts.tell_staff", ignore_result=True, expires=60)
@transaction.atomic
def tell_staff() -> None:
    """Each alarm that is still open and was not told yet becomes one letter to staff."""
    look_for_late_letters()
    untold = Alarm.objects.filter(closed_at=None, told_at=None).order_by("pk")
    for alarm in untold.select_for_update(skip_locked=True)[:AT_ONCE]:
        _tell(alarm)


def _tell(alarm: Alarm) -> None:
    letters.post(
        "alarm",
        to=settings.STAFF_MAIL,
        key=f"alarm:{alarm.pk}",
        says=" ".join(alarm.says.split()),
        advice=alarm.advice,
        subject_of=alarm.subject,
        opened_at=alarm.opened_at,
        url=f"/admin/engine/alarm/{alarm.pk}/change/",
    )
    alarm.told_at = timezone.now()
    alarm.save(update_fields=["told_at"])
