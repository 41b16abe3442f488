"""Killed at any line of taking a key away and started again, the host is rid of it and runs."""

from functools import partial
from pathlib import Path

import pytest

from agent.mailat_agent.mail import change
from tests.agent.crasher import is_killed
from tests.agent.mail.test_given import Keyed, refused

pytestmark = [pytest.mark.integration, pytest.mark.forks]

FILES = {"change.py", "generations.py", "settling.py"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "PATIENCE", 0.05)
    monkeypatch.setattr(change, "BREATH", 0.01)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)


def test_an_order_without_it(tmp_path: Path) -> None:
    line, dies = 0, True
    while dies:
        system = Keyed(tmp_path / str(line := line + 1))
        system.bring("one", key="first")
        dies = is_killed(line, partial(system.bring, "two"), FILES)
        system.bring("two")
        assert (system.lies("first"), system.runs_on("smtpd")) == (False, "two")
    assert line > 100


def test_an_order_that_is_refused(tmp_path: Path) -> None:
    line, dies = 0, True
    while dies:
        system = Keyed(tmp_path / str(line := line + 1))
        system.bring("one", key="first")
        refused(system, "nonsense")
        dies = is_killed(line, lambda system=system: system.change().withdraw(), FILES)  # type: ignore[misc]
        refused(system, "nonsense")
        system.change().withdraw()
        assert (system.lies("first"), system.runs_on("smtpd")) == (False, "no way")
    assert line > 50
