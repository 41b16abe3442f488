"""A worker is killed by SIGKILL while Gumroad is asked, and what comes of it is the same, and once."""

import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Letter
from audit.models import Event
from billing.last_look import AskAgain
from billing.models import Reconciliation, Subscription
from billing.reconcile import SUBJECT, Reconcile
from engine import actions as engine
from engine import worker
from engine.models import Run
from tests.billing.shop import Shop
from tests.integration.test_killed import is_step
from tests.killing import dies_at

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
PROGRAMS = (AskAgain, Reconcile)
STEPS = [(one.__name__, name) for one in PROGRAMS for name in vars(one) if is_step(vars(one)[name])]


def work() -> None:
    """Until all has ended; also the lease of the dead runs out."""
    names = [one.__name__ for one in PROGRAMS]
    for _ in range(100):
        live = Run.objects.filter(program__in=names, finished_at=None)
        if not live.update(due_at=timezone.now() - timedelta(hours=1)):
            return
        for pk in live.values_list("pk", flat=True):
            worker.work(pk)
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize(("program", "step"), STEPS)
def test_an_end_and_a_sale_that_no_ping_told_of_are_found_once(shop: Shop, program: str, step: str) -> None:
    shop.buy()
    engine.start(Reconcile, subject=SUBJECT)
    work()
    known = Subscription.objects.get()
    shop.end(shop.bought["sub1=="])
    if program == "Reconcile":
        shop.buy(email="bob@example.test", days_ago=0)
        engine.start(Reconcile, subject=SUBJECT)
    else:
        engine.start(AskAgain, subject=known.subject)

    assert dies_at(program, step, work) == signal.SIGKILL
    work()

    known.refresh_from_db()
    assert known.status == Subscription.Status.ENDED
    begun = 1 + (program == "Reconcile")
    mine = Event.objects.filter(account_id__in=Subscription.objects.values("account_id"))
    told = Counter(mine.filter(action__startswith="subscription.").values_list("action", flat=True))
    assert told == {"subscription.began": begun, "subscription.ended": 1}
    assert Letter.objects.filter(kind="welcome").count() == begun
    assert Reconciliation.objects.exclude(ended_at=None).count() == Reconciliation.objects.count() == begun
