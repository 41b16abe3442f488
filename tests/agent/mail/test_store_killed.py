"""Killed at any line while an address passes on or mail is deleted, the host ends as if it had not been."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.agent.crasher import is_killed
from tests.agent.mail.small_store import ADDRESS, ANNA, BERTA, SmallStore, wanted

pytestmark = [pytest.mark.integration, pytest.mark.forks]

FILES = {"store.py", "owners.py", "traces.py", "files.py", "generations.py"}
NOBODYS_QUEUE = "/nonexistent"  # no program of Postfix is found: its queue is looked at in a test of its own


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", NOBODYS_QUEUE)
    monkeypatch.setattr(
        "os.fsync", lambda _descriptor: None
    )  # a killed process loses nothing that the kernel has


def two_owners(root: Path) -> SmallStore:
    """Anna's address is to be Berta's: nobody can sign in any more, and nothing is set aside yet."""
    here = SmallStore(root)
    here.owners.hand_over(wanted((ADDRESS, ANNA)))
    here.serve((ADDRESS, ANNA))
    here.lay(ANNA)
    here.use(ADDRESS, "Zacharias")
    here.serve((ADDRESS, BERTA))
    return here


def walk(
    tmp_path: Path,
    first: Callable[[Path], SmallStore],
    act: Callable[[SmallStore], object],
    ends_right: Callable[[SmallStore], None],
) -> int:
    """Kill what is done at each of its lines; returns how many there were."""
    line, dies = 0, True
    while dies:
        line += 1
        here = first(tmp_path / str(line))
        dies = is_killed(line, partial(act, here), FILES)
        ends_right(here)
    return line


def test_an_address_passes_to_somebody_else(tmp_path: Path) -> None:
    def pass_on(here: SmallStore) -> object:
        return here.owners.hand_over(wanted((ADDRESS, BERTA)))

    def ends_right(here: SmallStore) -> None:
        assert here.friends(ADDRESS) + here.friends(ANNA) == ["Zacharias"], (
            "never in neither place, never in both"
        )
        assert pass_on(here) == []
        assert (here.friends(ADDRESS), here.friends(ANNA), here.sent(ADDRESS)) == ([], ["Zacharias"], 0)
        here.use(ADDRESS, "Yvonne")
        assert pass_on(here) == []
        assert (here.friends(ADDRESS), here.sent(ADDRESS)) == (["Yvonne"], 7)

    assert walk(tmp_path, two_owners, pass_on, ends_right) > 40


def set_aside(root: Path) -> SmallStore:
    here = two_owners(root)
    here.owners.hand_over(wanted((ADDRESS, BERTA)))
    here.lay(BERTA, text="Dear Berta")
    here.use(ADDRESS, "Yvonne")
    return here


def test_mail_is_deleted_for_good(tmp_path: Path) -> None:
    def erase(here: SmallStore) -> object:
        return here.eraser.turn([ANNA])

    def ends_right(here: SmallStore) -> None:
        told = here.eraser.turn([ANNA])
        assert set(told) == {ANNA}
        assert not here.place(ANNA).exists()
        here.eraser.turn([])
        left = here.bytes_of(here.root.parent.parent)
        assert b"Zacharias" not in left
        assert ANNA.encode() not in left
        assert (here.place(BERTA) / "Maildir/cur/1.mail:2,S").read_text() == "Dear Berta"
        assert (here.friends(ADDRESS), here.sent(ADDRESS)) == (["Yvonne"], 7)

    assert walk(tmp_path, set_aside, erase, ends_right) > 100


def test_what_was_told_to_be_gone_was_gone(tmp_path: Path) -> None:
    def erase(here: SmallStore) -> object:
        return here.eraser.turn([ANNA])

    def ends_right(here: SmallStore) -> None:
        if ANNA in (here.home / "erased.json").read_text() if (here.home / "erased.json").exists() else "":
            assert not here.place(ANNA).exists()
            assert here.friends(ANNA) == []
            assert here.generations.numbers() == [2]

    assert walk(tmp_path, set_aside, erase, ends_right) > 100


def test_killed_between_two_mails_the_rest_goes_at_the_next_turn(tmp_path: Path) -> None:
    here = set_aside(tmp_path / "host")
    for number in range(9):
        (here.place(ANNA) / f"Maildir/cur/{number}.more").write_text("Dear Anna")
    unlink, left = os.unlink, [5]

    def erase() -> None:
        def count(*args: object, **more: object) -> None:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            unlink(*args, **more)  # type: ignore[arg-type]

        os.unlink = count  # type: ignore[assignment]
        here.eraser.turn([ANNA])

    assert is_killed(10**9, erase, FILES)
    assert 0 < len(list((here.place(ANNA) / "Maildir/cur").iterdir())) < 10
    assert set(here.eraser.turn([ANNA])) == {ANNA}
    assert not here.place(ANNA).exists()
