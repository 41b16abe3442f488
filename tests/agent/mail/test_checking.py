"""Checkers see the staged generation in the place of the one in force; nobody else does, and nothing is left of it."""

import os
import sys
from pathlib import Path

import pytest

from agent.mailat_agent.mail import checking
from agent.mailat_agent.mail.commands import Failed

CURRENT = Path("/etc/mailat-test/mail")
LINKS = {
    "/etc/mailat-test-daemon/daemon.conf": "daemon/conf",
    "/etc/hosts": "hosts",
    "/etc/mailat-none": "none",
}

pytestmark = pytest.mark.root


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("skipped: needs root on Linux")
    for name in ("daemon/conf", "hosts"):
        path = tmp_path / "7" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"new {name}\n")
    return tmp_path / "7"


def see(script: str, staged: Path) -> None:
    checking.in_private_etc(["sh", "-euc", script], LINKS, staged, CURRENT)


def test_a_checker_finds_the_staged_files_at_the_systems_own_places(staged: Path) -> None:
    see('test "$(cat /etc/mailat-test-daemon/daemon.conf)" = "new daemon/conf"', staged)
    see('test "$(cat /etc/hosts)" = "new hosts"', staged)
    see(f'test "$(readlink /etc/hosts)" = {CURRENT}/hosts && test "$(readlink {CURRENT})" = {staged}', staged)
    see("test -s /etc/passwd && ! test -e /etc/mailat-none", staged)


def test_what_a_checker_dislikes_is_said(staged: Path) -> None:
    with pytest.raises(Failed, match="error: no daemon"):
        see("echo error: no daemon >&2; exit 1", staged)


def test_nothing_of_it_is_left(staged: Path) -> None:
    before = Path("/etc/hosts").read_bytes()

    see("echo scribble > /etc/mailat-test-scribble; rm /etc/passwd", staged)

    assert Path("/etc/hosts").read_bytes() == before
    assert Path("/etc/passwd").exists()
    assert not [name for name in os.listdir("/etc") if name.startswith("mailat-")]
    assert not [name for name in os.listdir("/run") if name.startswith("mailat-check-")]


def test_a_link_outside_of_etc_is_refused_before_anything_is_run(staged: Path) -> None:
    with pytest.raises(Failed, match="/usr/lib/daemon is not in /etc"):
        checking.in_private_etc(["false"], {"/usr/lib/daemon": "daemon/conf"}, staged, CURRENT)
