"""What an order wants to be gone goes, with all that belongs to it; nothing else does, and no link leads out."""

import json
from pathlib import Path

import pytest

from agent.mailat_agent.mail import change, roundcube, store
from agent.mailat_agent.mail.addresses import FORWARD
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.part import Host
from tests.agent.mail.small_store import ADDRESS, ANNA, BERTA, SmallStore, wanted


@pytest.fixture
def here(tmp_path: Path) -> SmallStore:
    """Anna had the address, was set aside, and Berta has it now."""
    return handed_over(tmp_path)


def handed_over(root: Path) -> SmallStore:
    here = SmallStore(root)
    here.serve((ADDRESS, ANNA))
    here.owners.hand_over(wanted((ADDRESS, ANNA)))
    here.lay(ANNA)
    here.use(ADDRESS, "Zacharias")
    here.serve((ADDRESS, BERTA))
    here.owners.hand_over(wanted((ADDRESS, BERTA)))
    here.lay(BERTA, text="Dear Berta")
    here.use(ADDRESS, "Yvonne")
    return here


def test_what_is_named_is_deleted_and_its_successor_keeps_everything(here: SmallStore) -> None:
    assert set(here.eraser.turn([ANNA])) == {ANNA}

    assert not here.place(ANNA).exists()
    assert (here.place(BERTA) / "Maildir/cur/1.mail:2,S").read_text() == "Dear Berta"
    assert (here.friends(ANNA), here.friends(ADDRESS)) == ([], ["Yvonne"])
    assert (here.sent(ANNA), here.sent(ADDRESS)) == (0, 7)
    assert here.generations.in_force() == 2


def test_no_file_of_the_host_tells_of_who_was_erased(here: SmallStore) -> None:
    assert b"Zacharias" in here.bytes_of(here.home)

    here.eraser.turn([ANNA])
    here.eraser.turn([])

    left = here.bytes_of(here.root.parent.parent)
    assert b"Zacharias" not in left
    assert b"Dear Anna" not in left
    assert ANNA.encode() not in left
    assert not [path for path in here.root.rglob("*") if ANNA in path.name]


def test_a_generation_that_still_serves_the_mailbox_is_dropped(here: SmallStore) -> None:
    here.eraser.turn([ANNA])

    assert here.generations.numbers() == [2]


def test_nothing_is_deleted_that_no_order_names(here: SmallStore) -> None:
    before = here.bytes_of(here.root.parent.parent)

    assert here.eraser.turn([]) == {}
    assert here.bytes_of(here.root) in before
    assert here.place(ANNA).exists()


def test_a_mailbox_that_is_served_is_not_deleted_whatever_is_named(here: SmallStore) -> None:
    assert here.eraser.turn([BERTA]) == {}

    assert here.place(BERTA).exists()
    assert here.friends(ADDRESS) == ["Yvonne"]


def test_nor_is_one_before_it_was_set_aside(tmp_path: Path) -> None:
    here = SmallStore(tmp_path)
    here.serve((ADDRESS, ANNA))
    here.owners.hand_over(wanted((ADDRESS, ANNA)))
    here.lay(ANNA)
    here.serve()

    assert here.eraser.turn([ANNA]) == {}, "its rows still bear its address"
    here.owners.hand_over(wanted())
    assert set(here.eraser.turn([ANNA])) == {ANNA}


def test_nor_while_a_change_is_not_proven(here: SmallStore) -> None:
    (here.home / change.TRIAL).write_text("{}")
    assert here.eraser.turn([ANNA]) == {}
    assert here.place(ANNA).exists()


def test_a_generation_that_is_held_by_hand_keeps_its_mail(here: SmallStore) -> None:
    here.generations.switch(1)

    assert here.eraser.turn([ANNA]) == {}
    assert here.place(ANNA).exists()


def test_one_that_never_had_mail_is_gone_at_once(here: SmallStore) -> None:
    nobody = "cccccccc-0000-4000-8000-000000000003"
    assert set(here.eraser.turn([nobody])) == {nobody}


def test_it_is_told_for_as_long_as_the_order_names_it_and_with_the_first_time(here: SmallStore) -> None:
    first = here.eraser.turn([ANNA])

    assert here.eraser.turn([ANNA]) == first
    assert here.eraser.turn([]) == {}
    assert json.loads((here.home / store.ERASED).read_text()) == {}


def test_what_comes_back_after_it_was_gone_goes_again_and_is_told_anew(here: SmallStore) -> None:
    here.eraser.turn([ANNA])
    (here.home / store.ERASED).write_text(json.dumps({ANNA: 1.0}))
    here.lay(ANNA)

    assert here.eraser.turn([ANNA])[ANNA] > 1.0
    assert not here.place(ANNA).exists()


def test_directories_that_nobody_lives_in_do_not_tell_of_addresses(here: SmallStore) -> None:
    here.lay(ANNA, "o'neil@other.test")
    here.lay("service", f"{FORWARD}o'neil@other.test")
    here.lay("service", f"{FORWARD}anna@firm.test")

    here.eraser.turn([ANNA])

    assert sorted(path.name for path in here.root.rglob("*") if path.parent.parent == here.root) == ["anna"]


def test_what_dovecot_compiled_for_it_goes_too(here: SmallStore) -> None:
    scripts = here.home / store.COMPILED
    scripts.mkdir()
    for name in ("anna@firm.test.svbin", "=3dforward=2eanna@firm.test.svbin", "carl@firm.test.svbin"):
        (scripts / name).write_text("")

    here.eraser.turn([ANNA])

    assert [path.name for path in scripts.iterdir()] == ["carl@firm.test.svbin"]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "*", "firm.test", "anna", "service", f"../{ANNA}", ANNA.upper()]
)
def test_what_is_no_id_names_nothing(here: SmallStore, name: str) -> None:
    before = sorted(here.root.rglob("*"))
    assert here.eraser.turn([name]) == {}
    assert sorted(here.root.rglob("*")) == before


def test_a_link_is_deleted_and_not_what_it_leads_to(here: SmallStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ANNA).mkdir(parents=True)
    (other / "kept").write_text("mine")
    (here.place(ANNA) / "Maildir/out").symlink_to(other)
    (here.root / "firm.test/bo").symlink_to(other)
    (here.root / "evil.test").symlink_to(other)
    (here.root / "firm.test/carl").mkdir()
    (here.root / f"firm.test/carl/{ANNA}").symlink_to(other)

    assert set(here.eraser.turn([ANNA])) == {ANNA}

    assert (other / "kept").read_text() == "mine"
    assert (other / ANNA).is_dir()
    assert not here.place(ANNA).exists()
    assert not (here.root / f"firm.test/carl/{ANNA}").is_symlink()


def test_a_database_that_is_a_link_is_not_written_to(here: SmallStore, tmp_path: Path) -> None:
    path = here.home / roundcube.HOME / roundcube.DATABASE
    path.rename(tmp_path / "elsewhere.db")
    path.symlink_to(tmp_path / "elsewhere.db")
    before = (tmp_path / "elsewhere.db").read_bytes()

    here.eraser.turn([ANNA])

    assert (tmp_path / "elsewhere.db").read_bytes() == before


def test_the_chore_tells_what_is_gone_and_comes_soon_while_something_is_not(
    here: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "Eraser", lambda *_args, **_more: here.eraser)
    host = Host("post.servers.test", (), here.home)
    order = Situation(wanted((ADDRESS, BERTA), erase=[ANNA]), host)
    assert store.every(order) == store.SOON

    (told,) = store.run(order)["erased"]

    assert told["id"] == ANNA
    assert told["at"] > 1_700_000_000
    assert store.every(order) == store.LATER
