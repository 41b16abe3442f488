"""A worker is killed (SIGKILL, a real process) at every step of every program, and the life goes on as if nothing had been.

Four points of each step: at its beginning, when its outside effect has been answered, with everything written and nothing
committed, and just after the commit. Then: no machine twice, none left over, no letter twice, no event missing.
"""

import inspect
from collections import Counter
from typing import Any

import pytest

from audit.models import Receipt
from engine.models import Alarm
from engine.program import Next, Program
from tests.integration.baking import Baking, Failing
from tests.integration.life import Changed, Life, Short, Silent, Troubled
from tests.integration.world import Sandbox, Workers
from vault import signing
from vault.signing import Signature

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

POINTS = ("begin", "effect", "commit", "after")
ROOMS = ("accounts.", "billing.", "servers.")
# Most steps belong to every life; these only to one in which something happens.
RARE: dict[str, type[Life]] = {
    "Keep.order": Changed,
    "Keep.wait_applied": Changed,
    "Provision.look_at_machine": Silent,
    "Provision.drop_machine": Troubled,
    "Provision.wait_before_another": Troubled,
    "Destroy.wait_for_others": Short,
    "BakeImage.drop_machine": Failing,
    "BakeImage.wait_before_another": Failing,
}
# And these belong to no server.
OF_ANOTHER_KIND: dict[str, type[Life]] = {"BakeImage": Baking}
# These need restore points, or backups to remove: tests/servers/test_move_killed.py.
# And people's own: tests/accounts/test_people_killed.py.
# And these need a plan that is paid for: tests/servers/test_resize_killed.py.
# And these ask Gumroad of many: tests/billing/test_asking_killed.py and test_listening.py.
ELSEWHERE = ("Rebuild", "GoBack", "Resize", "ChangeAddress", "Recover", "AskAgain", "Reconcile", "Listen")
STEPS_ELSEWHERE = ("Destroy.wait_backups_gone",)
TWO_MACHINES = (Troubled, Failing)


def steps() -> list[str]:
    """Every step of every program of the product."""
    programs = [one for one in Program.known.values() if one.__module__.startswith(ROOMS)]
    programs = [one for one in programs if one.__name__ not in ELSEWHERE]
    found = {f"{one.__name__}.{name}" for one in programs for name in vars(one) if is_step(vars(one)[name])}
    assert found.issuperset(STEPS_ELSEWHERE)
    return sorted(found.difference(STEPS_ELSEWHERE))


def is_step(value: Any) -> bool:
    return (
        inspect.isfunction(value)
        and not value.__name__.startswith("_")
        and inspect.signature(value).return_annotation in (Next, "Next")
        and len(inspect.signature(value).parameters) == 1
    )


BASELINES: dict[type[Life], tuple[Counter[str], Counter[str]]] = {}


def baseline(kind: type[Life], sandbox: Sandbox, workers: Workers) -> tuple[Counter[str], Counter[str]]:
    """What an undisturbed life of this kind leaves behind."""
    if kind not in BASELINES:
        life = kind(sandbox, workers)
        life.whole()
        BASELINES[kind] = life.events(), life.letters()
    return BASELINES[kind]


@pytest.mark.parametrize("step", steps())
def test_a_killed_worker_leaves_no_trace(step: str, sandbox: Sandbox, workers: Workers):
    kind = RARE.get(step) or OF_ANOTHER_KIND.get(step.partition(".")[0], Life)
    usual = baseline(kind, sandbox, workers)
    for point in POINTS:
        sandbox.delete("/hetzner/sandbox/calls")
        life = kind(sandbox, workers, step, point)
        life.whole()
        assert life.killed, f"no worker was killed at {step}, {point}: the life does not take this step"
        assert (life.events(), life.letters()) == usual, f"killed at {step}, {point}"
        check(life, sandbox, machines=2 if kind in TWO_MACHINES else 1)


def check(life: Life, sandbox: Sandbox, machines: int) -> None:
    assert sandbox.machines() == []
    assert sandbox.machines_made() <= machines
    assert not Alarm.objects.filter(closed_at=None).exists()
    if isinstance(life, Baking):
        assert life.images_made() == 1
        return
    receipt = Receipt.objects.get(subject=life.server.subject)
    assert signing.is_valid("receipt", receipt.text, Signature(receipt.key, receipt.signature))


def test_an_undisturbed_life_has_one_machine_and_each_letter_once(sandbox: Sandbox, workers: Workers):
    life = Life(sandbox, workers)
    life.whole()
    assert sandbox.machines_made() == 1
    assert set(life.letters().values()) == {1}
    assert life.events()["server.ready"] == life.events()["destruction.finished"] == 1
