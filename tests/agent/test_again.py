"""What could not be done is tried again without a new order, and so is what a chore says has changed."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.mailat_agent import loop
from agent.mailat_agent.apply import Undone
from agent.mailat_agent.config import Config
from agent.mailat_agent.loop import Agent
from tests.agent.orders import body

SERVER = "0d6a1b0e-6c0f-4f6e-9d0b-2f7a40a3a111"
TROUBLE = [{"what": "mail", "why": "postfix: not installed yet"}]


class Carrying:
    """Carries out nothing and counts how often; what could not be done is what the test says."""

    def __init__(self) -> None:
        self.times = 0
        self.undone: Undone = []
        self.then: Callable[[], None] = lambda: None

    def __call__(self, _order: object, _system: object) -> Undone:
        self.times += 1
        self.then()
        return list(self.undone)


@pytest.fixture
def carrying(monkeypatch: pytest.MonkeyPatch) -> Carrying:
    carrying = Carrying()
    monkeypatch.setattr(loop, "apply", carrying)
    monkeypatch.setattr(loop, "AGAIN", 0.02)
    return carrying


def agent(tmp_path: Path) -> Agent:
    """One that has an order in force."""
    (tmp_path / "desired.json").write_text(body(SERVER, 3))
    key = Ed25519PrivateKey.generate().public_key()
    return Agent(Config(tmp_path / "agent.json", "http://control.test", SERVER, None, {"a": key}), tmp_path)


def wait(ours: Agent, there: Callable[[], bool]) -> None:
    """Let it wait until it is so; the end of patience only ends a failing test."""
    until = time.monotonic() + 60
    while not there() and time.monotonic() < until:
        ours._wait(0.2)


def test_what_is_done_is_done_once(tmp_path: Path, carrying: Carrying) -> None:
    agent(tmp_path)._wait(0.3)

    assert carrying.times == 1


def test_what_is_not_done_is_tried_until_it_is_and_less_and_less_often(
    tmp_path: Path, carrying: Carrying, capfd: pytest.CaptureFixture[str]
) -> None:
    def enough() -> None:
        if carrying.times == 4:
            carrying.undone = []

    carrying.undone, carrying.then = TROUBLE, enough
    ours = agent(tmp_path)
    wait(ours, lambda: not ours.undone)
    ours._wait(0.3)

    assert carrying.times == 4
    assert ours.undone == []
    assert capfd.readouterr().err.count("postfix: not installed yet") == 1  # the log says it once


def test_waits_between_tries_double_up_to_a_bound(
    tmp_path: Path, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "AGAIN", 20.0)
    monkeypatch.setattr(loop.time, "monotonic", lambda: 0.0)
    carrying.undone = TROUBLE
    ours, waits = agent(tmp_path), []
    for _ in range(7):
        waits.append(ours.again)
        ours._apply_standing_order()

    assert waits == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]


def test_what_a_chore_changed_is_carried_out_at_once(tmp_path: Path, carrying: Carrying) -> None:
    ours = agent(tmp_path)
    ours.mail.changed()

    wait(ours, lambda: carrying.times > 1)

    assert carrying.times == 2
