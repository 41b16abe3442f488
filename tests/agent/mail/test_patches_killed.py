"""An update under test is brought to its end, whatever happens to the agent meanwhile."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.mailat_agent.mail import ledger as ledgers
from agent.mailat_agent.mail.ledger import Ledger
from tests.agent.mail.apt_host import BAD, AptHost, in_good_order, look


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AptHost:
    return in_good_order(tmp_path, monkeypatch)


class Killed(BaseException):
    """The process is gone; nothing after it is done."""


def kill_at(turn: int, patch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """End the process before its n-th effect on the world; tells whether it came to that."""
    count = 0

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == turn:
                raise Killed
            return real(*args, **more)

        return call

    patch.setattr(subprocess, "run", guarded(subprocess.run))
    patch.setattr(ledgers, "write_whole", guarded(ledgers.write_whole))
    return lambda: count >= turn


@pytest.mark.parametrize("turn", range(1, 33))
def test_killed_at_any_line_it_is_taken_back_all_the_same(host: AptHost, turn: int) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2", dovecot_imapd="2.4-2")
    with pytest.MonkeyPatch.context() as patch:
        came_to_it = kill_at(turn, patch)
        try:
            look(host)
        except Killed:
            pass
        else:
            assert not came_to_it()
    agent = host.agent()
    look(host, agent)
    said = look(host, agent)

    assert host.installed()["dovecot-core"] == host.installed()["dovecot-imapd"] == "2.4-1"
    assert host.held() == ["dovecot-core", "dovecot-imapd"]
    assert sorted(each["package"] for each in said["taken_back"]) == ["dovecot-core", "dovecot-imapd"]
    assert said["after"]["ok"]
    assert Ledger.read(host.home).trial is None


def test_what_is_installed_while_an_update_is_under_test_is_tested_with_it(host: AptHost) -> None:
    host.install(vim="9-2")
    with pytest.MonkeyPatch.context() as patch:
        kill_at(3, patch)
        with pytest.raises(Killed):
            look(host)
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    said = look(host)

    assert [each["package"] for each in said["taken_back"]] == ["dovecot-core"]
    assert [each["package"] for each in said["applied"]] == ["vim"]
    assert (host.installed()["vim"], host.installed()["dovecot-core"]) == ("9-2", "2.4-1")
