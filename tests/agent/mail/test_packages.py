"""What is read of apt's and dpkg's files, and who holds their locks."""

import fcntl
import os
import re
from pathlib import Path

import pytest

from agent.mailat_agent.mail import kept, packages
from agent.mailat_agent.mail.packages import Package
from tests.agent.mail.locks import held

INDEX = "mirror.example.test_debian-security_dists_trixie-security_main_binary-amd64_Packages"


def release(lists: Path, name: str, date: str) -> None:
    (lists / name).write_text(
        f"-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\nDate: {date}\nSuite: x\n"
    )


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    base = "mirror.example.test_debian"
    release(tmp_path, f"{base}-security_dists_trixie-security_InRelease", "Fri, 20 Nov 2026 00:12:42 UTC")
    release(tmp_path, f"{base}_dists_trixie_InRelease", "Sat, 12 Sep 2026 07:55:41 UTC")
    release(tmp_path, "_srv_fixes_Release", "Sat, 21 Nov 2026 12:00:00 UTC")
    release(tmp_path, "broken_InRelease", "the day before yesterday")
    (tmp_path / "odd_InRelease").write_bytes(b"\xff\xfe")
    return tmp_path


@pytest.mark.parametrize(
    ("index", "date"),
    [
        (INDEX, 1795133562.0),
        ("mirror.example.test_debian_dists_trixie_main_binary-amd64_Packages", 1789199741.0),
        ("_srv_fixes_Packages", 1795262400.0),
        ("broken_Packages", None),
        ("odd_Packages", None),
        ("unknown.test_Packages", None),
    ],
)
def test_an_index_is_as_old_as_the_release_that_vouches_for_it(
    lists: Path, index: str, date: float | None
) -> None:
    assert packages.released([f"/var/lib/apt/lists/{index}"], lists) == date


def test_a_version_in_two_archives_counts_from_the_earlier(lists: Path) -> None:
    assert packages.released([INDEX, "_srv_fixes_Packages"], lists) == 1795133562.0


def test_the_newest_release_is_the_least_that_the_time_can_be(lists: Path) -> None:
    assert packages.newest_release(lists) == 1795262400.0


def test_a_host_that_never_fetched_lists_knows_no_date(tmp_path: Path) -> None:
    assert packages.newest_release(tmp_path / "absent") is None


def test_a_package_was_applied_when_dpkg_wrote_the_list_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "info").mkdir()
    for name, at in (("postfix.list", 1000), ("libssl3t64:amd64.list", 2000)):
        (tmp_path / "info" / name).touch()
        os.utime(tmp_path / "info" / name, (at, at))
    assert packages.applied_at("postfix", "amd64", tmp_path) == 1000
    assert packages.applied_at("libssl3t64", "amd64", tmp_path) == 2000


def test_a_lock_that_another_process_holds_is_seen_and_left_alone(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert not packages.busy([lock, tmp_path / "absent"])

    with held(lock):
        assert packages.busy([lock])
    assert not packages.busy([lock])
    with lock.open("w") as free:
        fcntl.lockf(free, fcntl.LOCK_EX | fcntl.LOCK_NB)  # asking took nothing


@pytest.mark.parametrize(
    ("state", "taken_apart"), [("ii", False), ("iU", True), ("iF", True), ("iH", True), ("iW", False)]
)
def test_what_an_update_has_taken_apart_is_known_by_its_state_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, taken_apart: bool
) -> None:
    program = tmp_path / "dpkg-query"
    program.write_text(f"#!/bin/sh\nprintf 'nginx\\t1.26\\tnginx\\tamd64\\t{state} \\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(packages, "LOCKS", (tmp_path / "lock",))

    assert not packages.changing(packages.ORDERING)
    with held(tmp_path / "lock"):
        assert packages.changing(packages.ORDERING) is taken_apart
        assert not packages.changing(re.compile("postfix"))


def test_a_machine_without_apt_says_so() -> None:
    with pytest.raises(packages.Unknown, match="did not answer"):
        packages._output("no-such-program")


def package(name: str, source: str, version: str = "1:2.4-1", state: str = "i") -> Package:
    return Package(name, version, source, "amd64", state)


def test_packages_of_one_source_belong_together() -> None:
    there = [package("dovecot-imapd", "dovecot"), package("vim", "vim"), package("libssl3t64", "openssl")]
    assert kept.ours({each.name: each for each in there}) == [there[0], there[2]]


def test_what_apt_fetched_is_kept_and_what_is_no_longer_installed_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, home = tmp_path / "archives", tmp_path / "home"
    cache.mkdir()
    monkeypatch.setattr(kept, "APT_CACHE", cache)
    (cache / "postfix_3.10-1_amd64.deb").write_text("old")
    (cache / "dovecot-core_1%3a2.4-1_amd64.deb").write_text("same")
    before = [package("postfix", "postfix", "3.10-1"), package("dovecot-core", "dovecot")]
    kept.keep(home, {each.name: each for each in before})
    assert kept.find(home, "postfix", "3.10-1").read_text() == "old"  # type: ignore[union-attr]

    (cache / "postfix_3.10-2_amd64.deb").write_text("new")
    (home / "packages/left-by-a-kill").mkdir()
    after = [package("postfix", "postfix", "3.10-2"), before[1]]
    kept.keep(home, {each.name: each for each in after})
    left = sorted(path.name for path in (home / "packages").iterdir())
    assert left == ["dovecot-core_1%3a2.4-1_amd64.deb", "postfix_3.10-2_amd64.deb"]
    assert kept.find(home, "dovecot-core", "1:2.4-1").read_text() == "same"  # type: ignore[union-attr]


def test_a_status_paragraph_is_reduced_to_the_packages_own_fields() -> None:
    said = "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/a 00\n /etc/b 11\nDescription: x\n y\n\n"
    assert kept._fields(said) == ["Package: a", "Version: 1", "Description: x", " y"]
