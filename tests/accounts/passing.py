"""Time that passes for what stands open about people, and the worker that comes by then."""

import re
from datetime import timedelta
from typing import Any

from django.core import mail
from django.db.models import DateTimeField, F
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, Session
from accounts.open import AddressChange, Invitation, Recovery, RecoveryAddress
from engine import worker
from engine.models import Run
from tests.accounts.conftest import work_letters

PROGRAMS = ("ChangeAddress", "Recover")
ROWS = (AddressChange, Invitation, Recovery, RecoveryAddress, Session)


def work() -> None:
    """What a worker does with all that is due now."""
    due = Run.objects.filter(finished_at=None, due_at__lte=timezone.now())
    for pk in due.order_by("pk").values_list("pk", flat=True):
        worker.work(pk)


def passes(**time: float) -> None:
    """Everything is older by so much, and a worker comes by."""
    by = timedelta(**time)
    for model in ROWS:
        moments = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
        model.objects.update(**{name: F(name) - by for name in moments})
    Run.objects.filter(program__in=PROGRAMS, finished_at=None).update(due_at=F("due_at") - by)
    work()


def letters_to(address: str) -> list[str]:
    """The kinds of letters that were written to this address, oldest first."""
    return list(Letter.objects.filter(to=address).order_by("written_at").values_list("kind", flat=True))


def way_in(kind: str, to: str) -> str:
    """The path behind the one step of the newest letter of this kind to this address, as its reader finds it."""
    return ways_in(kind, to)[-1]


def ways_in(kind: str, to: str) -> list[str]:
    """Those of all such letters, oldest first."""
    work_letters()
    subject_of = {str(one.pk) for one in Letter.objects.filter(kind=kind, to=to)}
    found = [one for one in mail.outbox if one.extra_headers["Message-ID"][1:37] in subject_of]
    return [re.search(r":\nhttp://testserver(/\S+)", str(one.body)).group(1) for one in found]


def press(path: str, **data: Any) -> int:
    """Somebody with a browser that is signed in nowhere opens the letter's page and presses its button."""
    return Client().post(path, data).status_code
