"""A new configuration is checked, put in force at once, and taken back if what worked before works no more."""

import json
import os
import stat
from pathlib import Path

import pytest

from agent.mailat_agent.mail import change, generations
from agent.mailat_agent.mail.change import NotDone
from agent.mailat_agent.mail.commands import Failed
from agent.mailat_agent.mail.part import File
from tests.agent.mail.small_system import ME, SmallSystem, rendered


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallSystem:
    monkeypatch.setattr(change, "PATIENCE", 0.2)
    monkeypatch.setattr(change, "BREATH", 0.01)
    return SmallSystem(tmp_path)


def why(system: SmallSystem, smtpd: str, imapd: str = "imap") -> str:
    with pytest.raises(NotDone) as trouble:
        system.bring(smtpd, imapd)
    return str(trouble.value)


def test_the_first_generation_takes_the_places_of_the_systems_own_files(system: SmallSystem) -> None:
    (system.etc / "smtpd").mkdir()
    (system.etc / "smtpd/daemon.conf").write_text("Debian's")

    system.bring("one")

    assert system.store.in_force() == 1
    assert (system.conf("smtpd"), system.conf("imapd")) == ("one", "imap")
    assert (system.etc / "smtpd/daemon.conf.debian").read_text() == "Debian's"
    assert (system.runs_on("smtpd"), system.runs_on("imapd")) == ("one", "imap")
    assert system.change().taken_back() is None


def test_files_have_their_modes_and_the_way_to_them_lists_nothing(system: SmallSystem) -> None:
    system.bring("one")

    place = system.store.place(1)
    assert stat.S_IMODE((place / "smtpd/conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "imapd/conf").stat().st_mode) == 0o644
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert stat.S_IMODE(system.store.home.stat().st_mode) == 0o711
    assert stat.S_IMODE((place / generations.MANIFEST).stat().st_mode) == 0o600
    assert "one" not in (place / generations.MANIFEST).read_text()


def test_the_same_again_is_nothing_to_do(system: SmallSystem) -> None:
    system.bring("one")
    assert system.told() == ["smtpd", "imapd"]

    system.bring("one")

    assert (system.store.numbers(), system.told()) == ([1], [])


def test_only_the_daemon_whose_files_changed_is_told(system: SmallSystem) -> None:
    system.bring("one")
    system.told()

    system.bring("two")

    assert (system.store.in_force(), system.told()) == (2, ["smtpd"])
    assert system.runs_on("smtpd") == "two"


def test_what_a_checker_refuses_never_comes_into_force(system: SmallSystem) -> None:
    system.bring("one")
    system.told()

    assert why(system, "two\nnonsense = yes") == "smtpd: 2:nonsense = yes"

    assert (system.store.in_force(), system.store.numbers(), system.told()) == (1, [1], [])
    assert system.change().taken_back() is None


def test_the_first_one_is_checked_too_and_touches_nothing_if_it_is_refused(system: SmallSystem) -> None:
    (system.etc / "smtpd").mkdir()
    (system.etc / "smtpd/daemon.conf").write_text("Debian's")

    assert why(system, "nonsense") == "smtpd: 1:nonsense"

    assert system.conf("smtpd") == "Debian's"
    assert not os.path.lexists(system.store.current)


def test_what_breaks_a_door_is_taken_back_and_said(system: SmallSystem) -> None:
    system.bring("one")

    assert why(system, "broken") == "generation 2 was taken back: smtpd no longer works: nobody answers"

    assert (system.store.in_force(), system.conf("smtpd"), system.runs_on("smtpd")) == (1, "one", "one")
    taken_back = system.change().taken_back()
    assert taken_back
    assert (taken_back["generation"], taken_back["why"]) == (2, "smtpd no longer works: nobody answers")


def test_what_was_taken_back_is_left_alone_for_a_while(system: SmallSystem) -> None:
    system.bring("one")
    why(system, "broken")
    system.told()

    assert why(system, "broken") == "generation 2 was taken back: smtpd no longer works: nobody answers"

    assert (system.told(), system.store.numbers()) == ([], [1, 2])


def test_after_that_while_it_is_tried_again_and_then_left_alone_longer(system: SmallSystem) -> None:
    system.bring("one")
    why(system, "broken")
    note = system.store.home / change.TAKEN_BACK
    before = json.loads(note.read_text())
    note.write_text(json.dumps({**before, "at": before["at"] - before["again"]}))

    assert why(system, "broken").startswith("generation 3 was taken back")

    assert json.loads(note.read_text())["again"] == 2 * before["again"]


def test_something_else_is_tried_at_once_and_ends_the_matter(system: SmallSystem) -> None:
    system.bring("one")
    why(system, "broken")

    system.bring("two")

    assert (system.store.in_force(), system.runs_on("smtpd")) == (3, "two")
    assert system.change().taken_back() is None


def test_a_daemon_that_does_not_take_it_is_a_reason_too(system: SmallSystem) -> None:
    system.bring("one")

    assert why(system, "unloadable") == "generation 2 was taken back: smtpd: error: no room"

    assert (system.store.in_force(), system.runs_on("smtpd")) == (1, "one")


def test_what_did_not_work_before_keeps_no_change_from_coming(system: SmallSystem) -> None:
    system.bring("broken")
    assert not system.works("smtpd")

    system.bring("broken", "new")

    assert (system.store.in_force(), system.runs_on("imapd")) == (2, "new")


def test_a_daemon_that_took_nothing_before_is_told_again_each_time_and_holds_up_no_other(
    system: SmallSystem,
) -> None:
    assert why(system, "unloadable") == "smtpd: error: no room"
    assert (system.store.in_force(), system.runs_on("imapd")) == (1, "imap")

    assert why(system, "unloadable", "new") == "smtpd: error: no room"
    assert (system.store.in_force(), system.runs_on("imapd")) == (2, "new")

    system.bring("one", "new")
    assert system.runs_on("smtpd") == "one"


@pytest.mark.parametrize("damage", ["text", "mode", "gone", "more"])
def test_what_somebody_changed_by_hand_is_made_right_and_told(system: SmallSystem, damage: str) -> None:
    system.bring("one")
    system.told()
    conf = system.store.place(1) / "smtpd/conf"
    if damage == "text":
        conf.write_text("by hand")
    elif damage == "mode":
        conf.chmod(0o644)
    elif damage == "gone":
        conf.unlink()
    else:
        (conf.parent / "more").write_text("by hand")

    system.bring("one")

    assert (system.store.in_force(), system.conf("smtpd")) == (2, "one")
    assert stat.S_IMODE((system.store.place(2) / "smtpd/conf").stat().st_mode) == 0o600
    assert damage == "more" or system.told() == ["smtpd"]


def test_a_link_that_a_package_replaced_is_a_link_again(system: SmallSystem) -> None:
    system.bring("one")
    path = system.etc / "smtpd/daemon.conf"
    path.unlink()
    path.write_text("the new package's")

    system.bring("one")

    assert (path.is_symlink(), system.conf("smtpd")) == (True, "one")
    assert path.with_name("daemon.conf.debian").read_text() == "the new package's"


def test_an_administrator_holds_a_generation_and_lets_go(system: SmallSystem) -> None:
    system.bring("one")
    system.bring("two")
    held = system.store.home / change.HELD
    held.write_text("1\n")

    assert why(system, "three") == f"generation 1 is held by {held}"
    assert (system.store.in_force(), system.runs_on("smtpd")) == (1, "one")

    held.write_text("77\n")
    assert why(system, "three") == f"{held} names no generation"

    held.unlink()
    system.bring("three")
    assert system.runs_on("smtpd") == "three"


def test_the_last_twenty_are_kept(system: SmallSystem) -> None:
    for number in range(25):
        system.bring(f"smtpd {number}")

    assert system.store.numbers() == list(range(6, 26))
    assert not list(system.store.folder.glob(f"*{generations.UNFINISHED}"))


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", generations.MANIFEST])
def test_no_file_lies_outside_of_its_generation(system: SmallSystem, path: str) -> None:
    owner, group = ME
    with pytest.raises(ValueError, match="outside"):
        system.store.stage({"smtpd": [File(path, "text", owner=owner, group=group)]})


def test_an_owner_who_does_not_exist_yet_is_said(system: SmallSystem) -> None:
    with pytest.raises(Failed, match="there is no user nobody-of-that-name or no group"):
        system.store.stage({"smtpd": [File("conf", "text", owner="nobody-of-that-name")]})


def test_a_disk_that_is_full_leaves_the_old_one_in_force(
    system: SmallSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.bring("one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            system.bring("two")
    assert (system.store.in_force(), system.runs_on("smtpd")) == (1, "one")

    system.bring("two")
    assert (system.store.in_force(), system.runs_on("smtpd")) == (2, "two")


def test_generations_with_the_same_files_have_the_same_fingerprint() -> None:
    assert generations.fingerprint(rendered("one")) == generations.fingerprint(rendered("one"))
    assert generations.fingerprint(rendered("one")) != generations.fingerprint(rendered("two"))
