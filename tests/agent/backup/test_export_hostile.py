"""Root reads what a mailbox' owner laid there: no link leads it elsewhere, and no name does so to whoever unpacks the file."""

import os
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.agent.backup.export_reading import ALICE, deliver, exported, file_of, unpacked
from tests.agent.backup.export_storage import ExportStorage
from tests.agent.backup.small_host import SmallHost, owner


def test_names_that_would_lead_elsewhere_or_clash_are_made_harmless(
    small: SmallHost, outside: ExportStorage, tmp_path: Path
) -> None:
    for folder in (".a", ".A", ".CON", ".x\\y", ".a:b", ".a&ADo-b", ".&AC8-etc", ".new\nline"):
        deliver(small, b"Subject: x\n\n", folder)
    odd = deliver(small, b"Subject: odd\n\n")
    odd.rename(odd.with_name("..\\..\\evil\x01:2,S"))
    for format in ("mbox", "maildir", "eml"):
        outside.ready.clear()
        exported(small, format)
        names = ZipFile(file_of(outside)).namelist()
        assert not [
            name
            for name in names
            if "\\" in name or "\n" in name or name.startswith("/") or "/../" in f"/{name}/"
        ]
        if format != "maildir":
            assert len({name.casefold() for name in names}) == len(names)
        assert sum(1 for _ in ZipFile(file_of(outside)).infolist()) == len(names)
        unpacked(outside, tmp_path / format)


Plant = Callable[[Path, Path], None]


def link_message(home: Path, secret: Path) -> None:
    (home / "Maildir/cur/1.link:2,S").symlink_to(secret / "shadow")


def link_folder(home: Path, secret: Path) -> None:
    (home / "Maildir/.Evil").symlink_to(secret)


def link_half(home: Path, secret: Path) -> None:
    (home / "Maildir/.Half").mkdir()
    (home / "Maildir/.Half/cur").symlink_to(secret)


def link_maildir(home: Path, secret: Path) -> None:
    (home / "Maildir").rename(home / "aside")
    (secret / "cur").mkdir()
    (secret / "cur/1.x:2,S").write_text("root's own")
    (home / "Maildir").symlink_to(secret)


def link_filters(home: Path, secret: Path) -> None:
    (home / "sieve").symlink_to(secret)


def link_filter(home: Path, secret: Path) -> None:
    (home / "sieve").mkdir()
    (home / "sieve/evil.sieve").symlink_to(secret / "shadow")
    (home / ".dovecot.sieve").symlink_to("/etc/shadow\n/x")


def link_settings(home: Path, secret: Path) -> None:
    (home / "Maildir/dovecot-keywords").symlink_to(secret / "shadow")
    (home / "Maildir/subscriptions").symlink_to(secret / "shadow")


def lay_pipe(home: Path, secret: Path) -> None:
    os.mkfifo(home / "Maildir/cur/1.pipe:2,S")
    os.mkfifo(home / "Maildir/dovecot-keywords")
    (home / "sieve").mkdir()
    os.mkfifo(home / "sieve/pipe.sieve")


PLANTS = [
    link_message,
    link_folder,
    link_half,
    link_maildir,
    link_filters,
    link_filter,
    link_settings,
    lay_pipe,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("format", ["mbox", "maildir", "eml"])
def test_root_follows_no_link_that_a_mailbox_owner_laid(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, plant: Plant, format: str
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "shadow").write_text("root's own")
    (secret / "evil.sieve").write_text("root's own")
    small.deliver(ALICE)
    plant(small.home(ALICE), secret)
    exported(small, format)
    content = b"".join(ZipFile(file_of(outside)).read(name) for name in ZipFile(file_of(outside)).namelist())
    assert b"root's own" not in content
    assert b"0 root" not in content


@pytest.mark.usefixtures("restic")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_link_in_the_place_of_a_mailbox_is_refused_and_the_others_are_exported(
    small: SmallHost, outside: ExportStorage, tmp_path: Path, depth: int
) -> None:
    small.fill(30)
    place = [small.home(ALICE), *small.home(ALICE).parents][depth]
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    said = small.do("export", format="mbox")
    assert said["state"] == "failed"
    assert said["why"].startswith(f"{ALICE}: refused by the system")
    assert owner(ALICE) not in outside.ready
    assert len(outside.ready) == (0 if depth == 2 else 2)
