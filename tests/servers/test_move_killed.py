"""A worker that dies when a step has had its effect and nothing is committed: the next one goes on, and all ends the same.

And the end of a server in the middle of a move: no machine and no address is left.
"""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Letter
from audit.models import Receipt
from clients.object_storage import Storage
from engine import worker
from engine.models import Run, StepTaken
from servers import actions, hetzner, rebuilding
from servers.models import Destruction, Replacement, Server
from tests.servers.conftest import Vendor
from tests.servers.moving import Move
from tests.servers.test_go_back import STEPS, assert_as_before

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
THERE = (*STEPS, "wait_release", "settle", "delete_old", "check_old_gone", "let_addresses_leave")
BACK = (
    "begin", "wait_for_others", "look_at_old", "delete_new", "check_new_gone", "return_addresses", "rename_back",
    "bring_agent_back", "power_on", "wait_heard", "finish",
)  # fmt: skip


class Killed(BaseException):
    """What no step can catch, as a signal is not caught."""


@pytest.fixture
def move(server: Server, vendor: Vendor, storage: Storage) -> Move:
    return Move(server, vendor)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[str]]:
    """A worker dies the first two times that this step of this program is done."""

    def at(program: str, step: str) -> list[str]:
        died: list[str] = []
        perform = worker.perform

        def dies(run: Run) -> Any:
            outcome = perform(run)
            if (run.program, run.step) == (program, step) and len(died) < 2:
                died.append(step)
                raise Killed
            return outcome

        monkeypatch.setattr(worker, "perform", dies)
        return died

    return at


class Mortal(Move):
    def take(self, run: Run, waited: int, steps: int = 100) -> None:
        with contextlib.suppress(Killed):
            super().take(run, waited, steps)


@pytest.fixture
def mortal(server: Server, vendor: Vendor, storage: Storage) -> Mortal:
    return Mortal(server, vendor)


@pytest.mark.parametrize("step", THERE)
def test_a_move_ends_the_same(mortal: Mortal, kill: Callable[[str, str], list[str]], step: str):
    died = kill("Rebuild", step)
    rebuilding.want_rebuild(server=mortal.server, by="user:1")
    mortal.run(mortal.is_over)
    assert died == [step, step]
    assert mortal.row.state == Replacement.State.DONE
    ((name, (_machine, address)),) = mortal.machines().items()
    assert (name, address) == (f"mailat-{mortal.server.pk}", mortal.first[1])
    assert (mortal.server.ipv4, mortal.server.ipv6) == mortal.first[1:]
    assert all(one.leaves for one in hetzner.cloud().addresses_of(mortal.server.machine_id or 0))
    assert Letter.objects.filter(kind="server_rebuilt").count() == 1


@pytest.mark.parametrize("step", BACK)
def test_a_way_back_ends_the_same(mortal: Mortal, kill: Callable[[str, str], list[str]], step: str):
    rebuilding.want_rebuild(server=mortal.server, by="user:1")
    mortal.before("wait_restored")
    died = kill("GoBack", step)
    assert rebuilding.go_back(server=mortal.server, by="user:1")
    assert_as_before(mortal)
    assert died == [step, step]


def test_these_are_all_the_steps(move: Move):
    rebuilding.want_rebuild(server=move.server, by="user:1")
    move.run(move.is_over)
    taken = StepTaken.objects.filter(program="Rebuild").order_by("id").values_list("step", flat=True)
    assert list(dict.fromkeys(taken)) == list(THERE)


@pytest.mark.parametrize("step", [*THERE, *(f"back:{one}" for one in BACK)])
def test_an_end_in_the_middle_leaves_neither_machine_nor_address(move: Move, vendor: Vendor, step: str):
    rebuilding.want_rebuild(server=move.server, by="user:1")
    if step.startswith("back:"):
        move.before("wait_restored")
        assert rebuilding.go_back(server=move.server, by="user:1")
        until(move, "GoBack", step.removeprefix("back:"))
    else:
        move.before(step)
    end(move)
    assert vendor.machines() == []
    assert hetzner.cloud().addresses("") == []
    assert move.row.finished_at is not None
    assert move.runs() == []


@pytest.mark.parametrize("step", ["delete_before", "check_before_gone", "end_backups", "wait_backups_gone"])
def test_an_end_with_backups_ends_the_same(
    mortal: Mortal, vendor: Vendor, kill: Callable[[str, str], list[str]], step: str
):
    died = kill("Destroy", step)
    end(mortal)
    assert died == [step, step]
    assert vendor.machines() == []
    assert [one["what"] for one in Destruction.objects.get().answers].count("its backups") == 1
    assert Receipt.objects.count() == 1
    assert Letter.objects.filter(kind="destroyed").count() == 1


def until(move: Move, program: str, step: str) -> None:
    for _ in range(200):
        run = move._live(program)
        assert run
        if run.step == step:
            return
        move.take(run, 41, steps=1)
        Run.objects.filter(pk=run.pk, held=True).update(held=False)
        move.act()


def end(move: Move) -> None:
    """The day has come."""
    actions.schedule_destruction(
        server=move.server, ended_at=timezone.now() - timedelta(days=8), reason="it ended", by="gumroad"
    )
    Destruction.objects.update(due_at=timezone.now())
    move.run(
        lambda: Run.objects.filter(program="Destroy", finished_at__isnull=False).exists(),
        acts=lambda: empty(move),
    )


def empty(move: Move) -> None:
    move.act()
    for run in Run.objects.filter(program="EmptyRepository", finished_at=None):
        move.take(run, 41)
