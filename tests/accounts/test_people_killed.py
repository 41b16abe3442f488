"""A worker is killed by SIGKILL in the middle of each step of these programs, and all ends as if nothing had been.

The worker is a process of its own. It dies with the step's rows written and nothing committed, and another takes its place.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts import address, recovery
from accounts.models import Letter, Session, User
from accounts.open import AddressChange, Recovery
from audit.models import Event
from engine import worker
from engine.models import Run
from tests.accounts.passing import PROGRAMS, ROWS
from tests.dashboard import people_world
from tests.keys import give_app
from tests.killing import dies_at

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
STEPS = {
    "ChangeAddress": ("wait_confirmed", "wait_day", "change_it"),
    "Recover": ("look_who", "wait_confirmed", "wait_day", "open_the_way"),
}
ALL = [(program, step) for program, steps in STEPS.items() for step in steps]


def work() -> None:
    for pk in due():
        worker.work(pk)


def due() -> list[int]:
    found = Run.objects.filter(program__in=PROGRAMS, finished_at=None, due_at__lte=timezone.now())
    return list(found.values_list("pk", flat=True))


def passes(days: float) -> None:
    """Also the lease of the dead runs out."""
    by = timedelta(days=days)
    for model in ROWS:
        names = [one.name for one in model._meta.fields if one.get_internal_type() == "DateTimeField"]
        model.objects.update(**{name: F(name) - by for name in names})
    Run.objects.filter(program__in=PROGRAMS, finished_at=None).update(due_at=F("due_at") - by)


def change(alice: User, take: Callable[[], None]) -> tuple[Counter[str], Counter[str]]:
    give_app(alice)
    people_world.session(alice)
    row = address.ask(user=alice, new="alice@new.test", old_lost=True, session=None, by="user:1")
    take()
    address.confirm(change=row, end=address.NEW)
    take()
    for _ in range(3):
        passes(days=4)
        take()
    assert AddressChange.objects.get().outcome == "done"
    assert User.objects.get().email == "alice@new.test"
    return left_behind(alice)


def recover(alice: User, take: Callable[[], None]) -> tuple[Counter[str], Counter[str]]:
    give_app(alice)
    people_world.session(alice)
    people_world.second(alice, confirmed_at=timezone.now())
    row = recovery.ask(email=alice.email, network="203.0.113.7")
    take()
    row.refresh_from_db()
    for end in (recovery.FIRST, recovery.SECOND):
        assert recovery.confirm(recovery=row, end=end)
    take()
    for _ in range(3):
        passes(days=2)
        take()
    assert Recovery.objects.get().outcome == "done"
    assert not alice.authenticator_set.exists()
    return left_behind(alice)


LIVES = {"ChangeAddress": change, "Recover": recover}


def left_behind(alice: User) -> tuple[Counter[str], Counter[str]]:
    assert not Session.objects.live().exists()
    assert not Run.objects.filter(program__in=PROGRAMS, finished_at=None).exists()
    mine = Event.objects.filter(account_id=alice.accounts.get().pk)
    events = Counter(mine.values_list("action", flat=True))
    return events, Counter(Letter.objects.values_list("kind", flat=True))


USUAL = {
    "ChangeAddress": (
        Counter({"address.change_asked": 1, "address.confirmed": 1, "address.changed": 1, "session.all_ended": 1}),
        Counter({"address_confirm": 1, "address_notice": 1, "address_changed": 2}),
    ),
    "Recover": (
        Counter({"recovery.asked": 1, "recovery.confirmed": 2, "session.all_ended": 1, "recovery.done": 1}),
        Counter({"recover_confirm": 2, "recover_waits": 2, "recover_done": 2}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", STEPS)
def test_an_undisturbed_life_leaves_this_behind(alice: User, program: str) -> None:
    assert LIVES[program](alice, work) == USUAL[program]


@pytest.mark.parametrize(("program", "step"), ALL)
def test_a_killed_worker_leaves_no_trace(alice: User, program: str, step: str) -> None:
    deaths: list[int] = []

    def take() -> None:
        while due():
            ended = dies_at(program, step, work) if len(deaths) < 2 else 0
            if os.WIFSIGNALED(ended):
                deaths.append(os.WTERMSIG(ended))
                let_the_lease_run_out()
            elif len(deaths) >= 2:
                work()

    assert LIVES[program](alice, take) == USUAL[program]
    assert deaths == [signal.SIGKILL] * 2


def let_the_lease_run_out() -> None:
    held = Run.objects.filter(program__in=PROGRAMS, held=True)
    held.update(due_at=timezone.now() - timedelta(seconds=1))


def test_these_are_all_the_steps() -> None:
    from accounts.address_program import ChangeAddress
    from accounts.recovery_program import Recover
    from tests.integration.test_killed import is_step

    for program in (ChangeAddress, Recover):
        found = {name for name, value in vars(program).items() if is_step(value)}
        assert found == set(STEPS[program.__name__])
