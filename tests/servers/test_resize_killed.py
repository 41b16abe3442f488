"""Workers that die at any step of a change of plan: the machine is never left off, and all ends the same."""

import contextlib
from collections.abc import Callable

import pytest

from accounts.models import Account, Letter
from clients.object_storage import Storage
from engine.models import Run, StepTaken
from servers import actions, hetzner
from servers.models import PlanChange, Server
from servers.programs.change_machine import ChangeMachine
from servers.programs.resize import Resize
from tests.integration.test_killed import is_step
from tests.servers.conftest import Vendor
from tests.servers.growing import Growing
from tests.servers.test_move_killed import Killed, end, kill

__all__ = ["kill"]
pytestmark = [pytest.mark.integration, pytest.mark.django_db]
State = PlanChange.State
GROWS = (
    "wait_window", "back_up", "wait_backup", "begin", "turn_off", "wait_off", "change_type", "wait_changed", "power_on",
    "wait_heard", "prove", "wait_grown", "settle",
)  # fmt: skip
SHRINKS = ("wait_window", "look_at_room", "move", "wait_moved", "settle")
Kill = Callable[[str, str], list[str]]


class Mortal(Growing):
    def take(self, run: Run, waited: int, steps: int = 100) -> None:
        with contextlib.suppress(Killed):
            super().take(run, waited, steps)


@pytest.fixture
def mortal(server: Server, vendor: Vendor, storage: Storage) -> Mortal:
    return Mortal(server, vendor)


@pytest.fixture
def large(account: Account, vendor: Vendor, storage: Storage) -> Mortal:
    server = actions.want_server(account=account, name="post", place="fsn1", plan="plus", by="user:1")
    return Mortal(server, vendor)


@pytest.mark.parametrize("step", GROWS)
def test_it_grows_all_the_same(mortal: Mortal, kill: Kill, step: str):
    died = kill("Resize", step)
    mortal.want("plus")
    mortal.ends()
    assert died == [step, step]
    assert mortal.machine() == ("cx33", "running")
    assert mortal.server.rebuilding_since is None
    assert Letter.objects.filter(kind="plan_changed").count() == 1


@pytest.mark.parametrize("step", ["turn_off", "wait_off", "change_type", "power_on", "wait_heard", "settle"])
def test_it_serves_as_it_was_all_the_same(mortal: Mortal, kill: Kill, step: str):
    mortal.vendor.fault(kind="out_of_stock", operation="change_type", times=None)
    died = kill("Resize", step)
    mortal.want("plus")
    mortal.tries()
    assert died == [step, step]
    assert mortal.machine() == ("cx23", "running")
    assert mortal.server.plan == "basic"
    assert Letter.objects.filter(kind="plan_waits").count() == 1


def test_it_gives_up_all_the_same(mortal: Mortal, kill: Kill):
    died = kill("Resize", "give_up")
    mortal.want("plus")
    mortal.at_resize("turn_off")
    hetzner.cloud().delete(mortal.first[0] or 0)
    mortal.tries()
    assert died == ["give_up", "give_up"]
    assert mortal.server.rebuilding_since is None
    assert Letter.objects.filter(kind="plan_waits").count() == 1


@pytest.mark.parametrize("step", SHRINKS)
def test_it_shrinks_all_the_same(large: Mortal, kill: Kill, step: str):
    died = kill("Resize", step)
    large.want("basic")
    large.ends()
    assert died == [step, step]
    assert large.machine() == ("cx23", "running")
    assert large.server.plan == "basic"
    assert Letter.objects.filter(kind="plan_changed").count() == 1


def test_these_are_all_the_steps(mortal: Mortal):
    mortal.want("plus")
    mortal.ends()
    taken = StepTaken.objects.filter(program="Resize").order_by("id").values_list("step", flat=True)
    assert list(dict.fromkeys(taken)) == list(GROWS)


def test_each_step_that_there_is_was_killed_here():
    named = {*GROWS, *SHRINKS, "give_up"}
    mine = {name for one in (ChangeMachine, Resize) for name in vars(one) if is_step(vars(one)[name])}
    assert mine == named


@pytest.mark.parametrize("step", GROWS)
def test_an_end_in_the_middle_leaves_nothing(mortal: Mortal, vendor: Vendor, step: str):
    mortal.want("plus")
    mortal.at_resize(step)
    end(mortal)
    assert vendor.machines() == []
    assert hetzner.cloud().addresses("") == []
    assert mortal.runs() == []
    assert mortal.change.state in (State.ENDED, State.DONE)
