"""What the clock asks of backups."""

import logging
from collections.abc import Callable

from celery import shared_task

from backups import bucket, exports_end, exports_told, trash, watch
from backups.programs.compare import SUBJECT, CompareBucket
from clients.errors import ClientError
from engine import actions as engine
from engine.alarms import close_alarm, open_alarm

log = logging.getLogger("backups")
AWAY = "backups:storage"


@shared_task(name="backups.empty_trash", ignore_result=True, expires=60)
def empty_trash() -> None:
    """There is a bucket; what has been in the trash for its day leaves, and what never came is forgotten."""
    _with_storage(bucket.ensure, trash.empty, trash.settle)


@shared_task(name="backups.exports", ignore_result=True, expires=60)
def end_exports() -> None:
    """Files whose week is over are offered no more and leave the bucket, with uploads that nobody goes on with."""
    if bucket.is_set_up():
        exports_told.tell()
        exports_end.end_due()
        _with_storage(exports_end.remove_ended)


@shared_task(name="backups.look", ignore_result=True, expires=240)
def look() -> None:
    """Retention, which needs no storage, and whatever else is not as it should be."""
    if bucket.is_set_up():
        watch.enforce()
        watch.look()


@shared_task(name="backups.compare", ignore_result=True)
def compare() -> None:
    """Each day the bucket beside the inventory."""
    if bucket.is_set_up():
        engine.start(CompareBucket, subject=SUBJECT)
    watch.forget_gone()


def _with_storage(*work: Callable[[], object]) -> None:
    """What cannot be done while the storage is away is done at the next round; staff hear that it is."""
    if not bucket.is_set_up():
        return
    try:
        for one in work:
            one()
    except ClientError as error:
        log.info("no storage this time: %s", error)
        open_alarm(key=AWAY, subject=SUBJECT, says=f"The storage cannot be used: {error}", advice=ADVICE)
    else:
        close_alarm(AWAY)


ADVICE = (
    "Look at Hetzner's status page, and whether STORAGE_* are right; backups wait on their servers meanwhile."
)
