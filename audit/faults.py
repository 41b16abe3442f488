"""What broke, kept by the reference that a person was shown, so that staff find the place when they quote it."""

import logging
import traceback
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from audit.models import Fault

log = logging.getLogger("audit")
KEPT = timedelta(days=90)
MOST_AN_HOUR = 1000  # a page that breaks for everybody fills no table


def note(error: BaseException, *, reference: str, method: str, route: str, by: str = "") -> bool:
    """Keeps the fault, and never raises; False where there is no database to keep it in or too many are kept."""
    if isinstance(error, (OperationalError, InterfaceError)):
        return False  # the database is away, and whoever waits for the answer should not wait once more
    fault = Fault(
        reference=reference[:64],
        method=method[:10],
        route=route[:200],
        error=_class_of(error)[:120],
        place=place_of(error)[:200],
        by=by[:80],
    )
    try:
        with transaction.atomic():
            return _keep(fault)
    except (DatabaseError, ValueError) as trouble:
        log.warning("a fault was not kept: %s", type(trouble).__name__)
        return False


def _keep(fault: Fault) -> bool:
    lately = Fault.objects.filter(at__gt=timezone.now() - timedelta(hours=1))
    if lately[:MOST_AN_HOUR].count() >= MOST_AN_HOUR:
        return False
    fault.save(force_insert=True)
    return True


def _class_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def place_of(error: BaseException) -> str:
    """The innermost line of ours that was being worked on, such as "billing/webhook.py:31 in ping"."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _is_ours(frame.filename)]
    last = (ours or frames)[-1:]
    return f"{_short(last[0].filename)}:{last[0].lineno} in {last[0].name}" if last else ""


def _is_ours(file: str) -> bool:
    return file.startswith(f"{settings.ROOT}/") and "site-packages" not in file


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(settings.ROOT)) if path.is_relative_to(settings.ROOT) else path.name


def forget() -> int:
    """Removes faults older than KEPT; returns how many."""
    return Fault.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
