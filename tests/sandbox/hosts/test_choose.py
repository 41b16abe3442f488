"""Which kind of host it is, and that it says why."""

import subprocess

import pytest

from sandbox import hosts
from sandbox.hosts.debian import image, possible
from sandbox.hosts.debian.hosts import DebianHosts


def quiet(text: str) -> None:
    pass


def test_where_debian_cannot_be_it_is_a_process_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "why_not", lambda home: "only root may start them")
    chosen = hosts.choose("auto", tmp_path, 8000, quiet)
    assert (chosen.kind, chosen.address_of_control) == ("process", "127.0.0.1")
    assert "only root may start them" in chosen.why


def test_asking_for_debian_where_it_cannot_be_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "why_not", lambda home: "only root may start them")
    with pytest.raises(hosts.HostsUnavailable, match="only root"):
        hosts.choose("debian", tmp_path, 8000, quiet)


def test_there_is_no_other_kind(tmp_path):
    with pytest.raises(ValueError, match="no kind of host"):
        hosts.choose("docker", tmp_path, 8000, quiet)


def test_where_debian_can_be_agents_reach_the_control_plane_by_the_gateway(tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "why_not", lambda home: "")
    chosen = hosts.choose("auto", tmp_path, 8000, quiet)
    assert chosen.kind == "debian"
    assert chosen.address_of_control == str(chosen.network[1])
    assert chosen.network.prefixlen == 24


def test_two_homes_have_names_of_their_own(tmp_path):
    first, second = (DebianHosts(tmp_path / name, 8000, quiet, why="") for name in ("a", "b"))
    assert first._group(1) != second._group(1)
    assert first._group(1) == DebianHosts(tmp_path / "a", 8000, quiet, why="")._group(1)


def test_where_the_image_cannot_be_made_it_falls_back_and_says_why(tmp_path, monkeypatch):
    def fail(home, on_log):
        raise hosts.HostsUnavailable("no package could be fetched")

    said = []
    monkeypatch.setattr(hosts, "why_not", lambda home: "")
    monkeypatch.setattr(image, "ensure", fail)
    chosen = hosts.choose("auto", tmp_path, 8000, said.append)
    chosen.prepare()
    assert (chosen.kind, chosen.address_of_control) == ("process", "127.0.0.1")
    assert "no package could be fetched" in chosen.why
    assert chosen.why in said
    chosen.close()


def test_an_agent_told_the_address_of_debian_hosts_finds_the_control_plane_all_the_same(
    tmp_path, monkeypatch, depot, until
):
    def fail(home, on_log):
        raise hosts.HostsUnavailable("no package could be fetched")

    monkeypatch.setattr(hosts, "why_not", lambda home: "")
    monkeypatch.setattr(image, "ensure", fail)
    chosen = hosts.choose("auto", tmp_path, depot.port, quiet)
    data = depot.user_data().replace("//127.0.0.1:", f"//{chosen.address_of_control}:")
    chosen.boot(1, "alice", "198.18.0.10", data)
    until(lambda: "the agent speaks" in chosen.console(1))
    chosen.close()


def test_an_ordinary_user_is_told_that_root_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(possible.os, "geteuid", lambda: 1000)
    assert "root" in possible.why_not(tmp_path)


def test_missing_programs_are_named_by_their_package(tmp_path, monkeypatch):
    monkeypatch.setattr(possible.os, "geteuid", lambda: 0)
    monkeypatch.setattr(possible.shutil, "which", lambda tool: None if tool == "systemd-nspawn" else tool)
    assert possible.why_not(tmp_path) == "missing packages: systemd-container"


class Apt:
    """Puts programs of ours where mmdebstrap and apt-get are looked for."""

    def __init__(self, place, monkeypatch):
        self._place = place / "bin"
        self._place.mkdir()
        monkeypatch.setenv("PATH", str(self._place), prepend=":")
        monkeypatch.delenv("MAILAT_CACHE", raising=False)

    def is_(self, name, script):
        (self._place / name).write_text(f"#!/bin/sh\n{script}\n")
        (self._place / name).chmod(0o755)


@pytest.fixture
def apt(tmp_path, monkeypatch):
    return Apt(tmp_path, monkeypatch)


def test_the_image_comes_from_this_computers_own_sources(apt, monkeypatch):
    apt.is_(
        "apt-get",
        "cat <<'E'\nDebian|bookworm|http://mirror.test/debian/\nDebian|bookworm-security|http://mirror.test/security/\n"
        "Debian|bookworm|http://mirror.test/debian/\nDebian|bookworm-backports|http://mirror.test/debian/\n"
        "Another|stable|http://other.test/\nE",
    )
    assert list(image.sources()) == [
        "deb http://mirror.test/debian/ trixie main",
        "deb http://mirror.test/security/ trixie-security main",
    ]


def test_no_sources_no_image(apt, tmp_path):
    apt.is_("apt-get", "true")
    with pytest.raises(hosts.HostsUnavailable, match="apt"):
        image.ensure(tmp_path, quiet)


def test_an_image_that_fails_half_way_is_not_taken_for_one(apt, tmp_path):
    apt.is_("apt-get", "echo 'Debian|bookworm|http://mirror.test/debian/'")
    apt.is_(
        "mmdebstrap",
        'for word; do case $word in *.unfinished) mkdir -p "$word/etc";; esac; done; echo "E: no route"; exit 1',
    )
    for _ in range(2):
        with pytest.raises(hosts.HostsUnavailable, match="no route"):
            image.ensure(tmp_path, quiet)
    assert [one.name for one in image.cache(tmp_path).iterdir()] == ["lock"]


def test_an_image_is_made_once(apt, tmp_path):
    apt.is_("apt-get", "echo 'Debian|bookworm|http://mirror.test/debian/'")
    apt.is_(
        "mmdebstrap",
        f'for word; do case $word in *.unfinished) mkdir -p "$word/etc/apt" "$word/etc/ssh";; esac; done; echo x >>{tmp_path}/runs',
    )
    assert image.ensure(tmp_path, quiet) == image.ensure(tmp_path, quiet)
    assert (tmp_path / "runs").read_text() == "x\n"


def test_nothing_of_a_trial_stays(tmp_path):
    possible.why_not(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert subprocess.run(["grep", str(tmp_path), "/proc/self/mounts"], capture_output=True).returncode == 1
