"""Killed at any line of a change and started again, the host ends as if it had not been."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from agent.mailat_agent.mail import change
from agent.mailat_agent.mail.change import NotDone
from tests.agent.crasher import is_killed
from tests.agent.mail.small_system import SmallSystem

pytestmark = [pytest.mark.integration, pytest.mark.forks]

FILES = {"change.py", "generations.py", "settling.py", "links.py", "files.py"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "PATIENCE", 0.05)
    monkeypatch.setattr(change, "BREATH", 0.01)
    monkeypatch.setattr(
        "os.fsync", lambda _descriptor: None
    )  # a killed process loses nothing that the kernel has


def brings(system: SmallSystem, what: str) -> None:
    with suppress(NotDone):
        system.bring(what)


def walk(tmp_path: Path, first: str | None, then: str, ends_right: Callable[[SmallSystem], None]) -> int:
    """Kill a change from `first` to `then` at each of its lines; returns how many there were."""
    line, dies = 0, True
    while dies:
        line += 1
        system = SmallSystem(tmp_path / str(line))
        if first is not None:
            system.bring(first)
        dies = is_killed(line, partial(brings, system, then), FILES)
        ends_right(system)
    return line


def test_the_first_generation(tmp_path: Path) -> None:
    def ends_right(system: SmallSystem) -> None:
        system.bring("one")
        assert (system.conf("smtpd"), system.runs_on("smtpd"), system.runs_on("imapd")) == (
            "one",
            "one",
            "imap",
        )
        assert not (system.store.home / change.TRIAL).exists()

    assert walk(tmp_path, None, "one", ends_right) > 100


def test_a_change_from_one_to_the_next(tmp_path: Path) -> None:
    def ends_right(system: SmallSystem) -> None:
        assert system.conf("smtpd") in ("one", "two")
        system.bring("two")
        assert (system.conf("smtpd"), system.runs_on("smtpd"), system.runs_on("imapd")) == (
            "two",
            "two",
            "imap",
        )
        assert not (system.store.home / change.TRIAL).exists()
        assert system.change().taken_back() is None

    assert walk(tmp_path, "one", "two", ends_right) > 100


def test_a_change_that_is_taken_back(tmp_path: Path) -> None:
    def ends_right(system: SmallSystem) -> None:
        for _ in range(2):
            with pytest.raises(NotDone, match="was taken back: smtpd no longer works"):
                system.bring("broken")
        assert (system.conf("smtpd"), system.runs_on("smtpd")) == ("one", "one")
        assert not (system.store.home / change.TRIAL).exists()
        taken_back = system.change().taken_back()
        assert taken_back
        assert taken_back["why"] == "smtpd no longer works: nobody answers"

    assert walk(tmp_path, "one", "broken", ends_right) > 100
