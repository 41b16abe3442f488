"""Secrets that were handed to the host lie in no other generation than the one in force, and go when they are taken away."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.mailat_agent.mail import change
from agent.mailat_agent.mail.change import NotDone
from agent.mailat_agent.mail.generations import UNFINISHED, Rendered
from agent.mailat_agent.mail.part import File
from tests.agent.mail.small_system import SmallSystem, rendered

KEY = "smtpd/key"


class Keyed(SmallSystem):
    """Its first daemon sends by a key that somebody gave it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        first, second = self.parts
        self.parts = (replace(first, given=(KEY,), without=without), second)

    def bring(self, smtpd: str, imapd: str = "imap", key: str = "") -> None:
        self.change().bring(with_key(smtpd, imapd, key))

    def keys(self) -> dict[int, str]:
        """Which generation has which."""
        places = {number: self.store.place(number) / KEY for number in self.store.numbers()}
        return {number: path.read_text() for number, path in places.items() if path.exists()}

    def lies(self, key: str) -> bool:
        """Anywhere at all."""
        files = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
        return any(key in path.read_text() for path in files)


def with_key(smtpd: str, imapd: str, key: str) -> Rendered:
    files = rendered(smtpd, imapd)
    (conf,) = files["smtpd"]
    more = [replace(conf, path=KEY, text=key)] if key else []
    return {**files, "smtpd": [conf, *more]}


def without(files: list[File]) -> list[File]:
    return [replace(one, text="no way") for one in files if one.path != KEY]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyed:
    monkeypatch.setattr(change, "PATIENCE", 0.2)
    monkeypatch.setattr(change, "BREATH", 0.01)
    return Keyed(tmp_path)


def refused(system: Keyed, smtpd: str, imapd: str = "imap", key: str = "") -> None:
    with pytest.raises(NotDone):
        system.bring(smtpd, imapd, key)


def test_a_key_stays_with_the_generations_that_one_may_go_back_to(system: Keyed) -> None:
    system.bring("before")
    system.bring("one", key="first")
    system.bring("two", key="first")

    assert (system.keys(), system.store.numbers()) == ({2: "first", 3: "first"}, [1, 2, 3])


@pytest.mark.parametrize("then", ["", "second"])
def test_a_key_that_was_taken_away_or_replaced_lies_nowhere(system: Keyed, then: str) -> None:
    system.bring("before")
    system.bring("one", key="first")
    system.bring("two", key="first")
    system.bring("three", key=then)

    assert not system.lies("first")
    assert system.store.numbers() == [1, 4]
    assert system.runs_on("smtpd") == "three"


def test_as_long_as_a_change_is_not_proven_the_key_before_is_there_to_go_back_to(system: Keyed) -> None:
    system.bring("one", key="first")
    refused(system, "broken", key="second")

    assert system.runs_on("smtpd") == "one"
    assert system.keys()[system.store.in_force()] == "first"
    system.bring("one", key="first")
    assert not system.lies("second")


def test_what_was_half_made_when_the_agent_died_keeps_no_key(system: Keyed) -> None:
    system.bring("one", key="first")
    half = system.store.folder / f"2{UNFINISHED}"
    half.mkdir()
    (half / "key").write_text("first")
    system.bring("one")
    half.mkdir()
    (half / "key").write_text("first")

    system.bring("one")

    assert not system.lies("first")


@pytest.mark.parametrize(("smtpd", "imapd"), [("broken", "imap"), ("one", "nonsense"), ("nonsense", "imap")])
def test_a_key_goes_even_where_the_newest_settings_are_refused(system: Keyed, smtpd: str, imapd: str) -> None:
    system.bring("one", "imap", key="first")
    refused(system, smtpd, imapd)
    assert system.lies("first")

    system.change().withdraw()

    assert not system.lies("first")
    assert (system.runs_on("smtpd"), system.conf("imapd")) == ("no way", "imap")
    system.told()
    refused(system, smtpd, imapd)
    system.change().withdraw()
    assert system.runs_on("smtpd") == "no way"
    system.bring("two")
    assert system.runs_on("smtpd") == "two"


def test_nothing_is_touched_where_no_key_lies(system: Keyed) -> None:
    system.change().withdraw()
    assert system.store.numbers() == []
    system.bring("one")
    system.told()

    system.change().withdraw()

    assert (system.store.numbers(), system.told()) == ([1], [])


def test_a_key_goes_from_a_generation_that_is_held_by_hand(system: Keyed) -> None:
    system.bring("one", key="first")
    (system.store.home / change.HELD).write_text("1")
    refused(system, "two")

    system.change().withdraw()

    assert (system.lies("first"), system.runs_on("smtpd")) == (False, "no way")
    refused(system, "two")
    (system.store.home / change.HELD).unlink()
    system.bring("two")
    assert system.runs_on("smtpd") == "two"
