"""The patch clock: since when a fix waits, how long it took, and what an update that breaks mail is worth."""

from pathlib import Path

import pytest

from agent.mailat_agent.mail import canary, packages, patches
from agent.mailat_agent.mail.chore import Situation
from agent.mailat_agent.mail.ledger import Ledger
from agent.mailat_agent.mail.packages import Known
from tests.agent.mail.apt_host import BAD, AptHost, in_good_order, look

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AptHost:
    return in_good_order(tmp_path, monkeypatch)


def fix(host: AptHost, to: str, *, security: bool = True, released: float | None = None) -> Known:
    return Known("dovecot-core", host.installed()["dovecot-core"], to, security, released, False)


def kicks(host: AptHost, unit: str) -> int:
    return host.log().count(f"systemctl start --no-block {unit}")


def test_a_fix_waits_since_the_archive_had_it_when_it_was_first_seen(host: AptHost) -> None:
    seen = host.clock
    host.facts = [fix(host, "2.4-2", released=seen - 5 * HOUR)]
    look(host)
    host.clock += 20 * HOUR
    host.facts = [fix(host, "2.4-2", released=host.clock - HOUR)]  # the archive was published anew meanwhile

    assert look(host)["pending"] == [
        {"package": "dovecot-core", "from": "2.4-1", "to": "2.4-2", "security": True,
         "published_at": seen - 5 * HOUR, "held": False}
    ]  # fmt: skip


@pytest.mark.parametrize("released", [None, 9e9])
def test_an_archive_without_a_date_or_from_the_future_counts_from_now(
    host: AptHost, released: float | None
) -> None:
    host.facts = [fix(host, "2.4-2", released=released)]
    assert look(host)["pending"][0]["published_at"] == host.clock


def test_security_fixes_come_first_and_the_report_stays_small(host: AptHost) -> None:
    host.facts = [Known(f"p{n}", "1", "2", n == 70, 1000.0, False) for n in range(80)]
    pending = look(host)["pending"]
    assert (len(pending), pending[0]["package"]) == (50, "p70")


def test_an_update_that_works_is_applied_with_its_times(host: AptHost) -> None:
    host.facts = [fix(host, "2.4-2", released=host.clock - HOUR)]
    look(host)
    published = host.clock - HOUR
    host.facts = []
    host.install(dovecot_core="2.4-2", dovecot_imapd="2.4-2")
    said = look(host)

    assert (said["after"]["ok"], said["after"]["why"]) == (True, "")
    assert (said["pending"], said["taken_back"]) == ([], [])
    core = next(each for each in said["applied"] if each["package"] == "dovecot-core")
    assert (core["from"], core["to"]) == ("2.4-1", "2.4-2")
    assert (core["published_at"], core["applied_at"]) == (published, host.clock)


def test_a_fix_that_was_never_seen_waiting_counts_from_the_archives_date(host: AptHost) -> None:
    host.facts = [Known("dovecot-core", "2.4-2", None, True, host.clock - DAY, False)]
    host.install(dovecot_core="2.4-2")
    applied = look(host)["applied"][0]
    assert (applied["published_at"], applied["security"]) == (host.clock - DAY - 100, True)


def test_an_update_that_breaks_mail_is_taken_back_held_and_told(host: AptHost) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2", dovecot_imapd="2.4-2", vim="9-2")
    said = look(host)

    assert host.installed() == {
        "dovecot-core": "2.4-1", "dovecot-imapd": "2.4-1", "postfix": "3.10-1", "vim": "9-2",
    }  # fmt: skip
    assert host.held() == ["dovecot-core", "dovecot-imapd"]
    assert [(each["package"], each["version"]) for each in said["taken_back"]] == [
        ("dovecot-core", "2.4-2"), ("dovecot-imapd", "2.4-2"),
    ]  # fmt: skip
    assert said["taken_back"][0]["why"] == "imaps: broken by dovecot-core 2.4-2"
    assert said["after"]["ok"]
    assert "postqueue -f" in host.log()


def test_before_it_is_taken_back_a_restart_is_tried(host: AptHost) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    look(host)
    log = host.log()
    assert log.index("systemctl restart dovecot.service") < log.index(
        next(line for line in log if line.startswith("apt-get") and ".deb" in line)
    )


def test_where_apt_does_not_go_on_dpkg_takes_it_back(host: AptHost) -> None:
    (host.place / "apt-is-broken").touch()
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    look(host)
    assert host.installed()["dovecot-core"] == "2.4-1"


def test_what_was_broken_before_is_not_held_against_an_update(host: AptHost) -> None:
    host.dead.add("https")
    host.clock += HOUR
    agent = host.agent()
    look(host, agent)
    look(host, agent)
    host.install(dovecot_core="2.4-2")
    assert look(host)["after"]["ok"]
    assert host.installed()["dovecot-core"] == "2.4-2"


def test_a_daemon_that_was_just_being_started_again_is_expected_to_work(host: AptHost) -> None:
    host.dead.add("imaps")
    host.clock += 60
    agent = host.agent()
    look(host, agent)
    look(host, agent)
    host.dead.clear()
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    assert look(host)["taken_back"]


def test_what_works_is_not_noted_while_an_update_runs(host: AptHost, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = host.agent()
    look(host, agent)
    before, real = Ledger.read(host.home).well, agent.probe

    def begins_meanwhile(situation: Situation) -> dict[str, str]:
        monkeypatch.setattr(packages, "busy", lambda: True)
        return real(situation) | {"imaps": "nobody answers"}

    agent.probe = begins_meanwhile
    host.clock += HOUR
    look(host, agent)
    assert Ledger.read(host.home).well == before


def test_on_a_host_that_nobody_looked_at_yet_everything_is_expected_to_work(
    host: AptHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.read(host.home)
    ledger.well = {}
    ledger.write(host.home)
    monkeypatch.setattr(canary, "run", lambda _situation: {"canary": {"error": ""}})
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    assert look(host)["taken_back"]


def test_an_agent_that_was_killed_does_not_wait_for_calm_while_an_update_is_unproven(
    host: AptHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "CALM", 1e9)
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    assert look(host)["taken_back"]


def test_where_the_versions_before_do_not_help_either_the_update_may_come_again(host: AptHost) -> None:
    host.dead.add("smtp")
    host.install(dovecot_core="2.4-2")
    said = look(host)
    assert (said["after"]["ok"], said["taken_back"], host.held()) == (False, [], [])
    assert said["after"]["why"] == ("smtp: no answer; the versions before did not help: smtp: no answer")


def test_a_broken_update_of_something_else_is_told_and_stays(host: AptHost) -> None:
    host.bad.add(("vim", "9-2"))
    host.install(vim="9-2")
    said = look(host)
    assert said["after"]["why"] == "imaps: broken by vim 9-2"
    assert host.installed()["vim"] == "9-2"


def test_the_same_broken_version_stays_away_and_the_next_one_is_tried(host: AptHost) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    host.facts = [fix(host, "2.4-2")]
    look(host)
    host.clock += 3 * DAY
    host.facts = [Known("dovecot-core", "2.4-1", "2.4-2", True, None, True)]
    look(host)
    assert host.held() == ["dovecot-core"]
    assert kicks(host, "apt-daily-upgrade.service") == 0

    host.facts = [Known("dovecot-core", "2.4-1", "2.4-3", True, None, True)]
    look(host)
    assert host.held() == []
    assert kicks(host, "apt-daily-upgrade.service") == 1
    host.install(dovecot_core="2.4-3")
    assert look(host)["after"]["ok"]


def test_what_was_held_is_let_go_when_dpkg_is_free_again(host: AptHost) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    look(host)
    host.facts = [Known("dovecot-core", "2.4-1", "2.4-3", True, None, True)]
    agent = host.agent()
    (host.place / "dpkg-is-in-use").touch()
    look(host, agent)
    assert (host.held(), kicks(host, "apt-daily-upgrade.service")) == (["dovecot-core"], 0)

    (host.place / "dpkg-is-in-use").unlink()
    look(host, agent)
    assert (host.held(), kicks(host, "apt-daily-upgrade.service")) == ([], 1)


def test_an_update_counts_as_taken_back_only_once_it_is_held(host: AptHost) -> None:
    host.bad.add(BAD)
    host.install(dovecot_core="2.4-2")
    (host.place / "dpkg-is-in-use").touch()
    agent = host.agent()
    assert look(host, agent)["taken_back"] == []

    (host.place / "dpkg-is-in-use").unlink()
    assert [each["package"] for each in look(host, agent)["taken_back"]] == ["dovecot-core"]
    assert host.held() == ["dovecot-core"]


def test_a_security_fix_that_waits_for_more_than_a_day_starts_a_run_now_and_then(host: AptHost) -> None:
    host.facts = [fix(host, "2.4-2", released=host.clock)]
    look(host)
    assert kicks(host, "apt-daily-upgrade.service") == 0
    for passed, started in ((DAY + 1, 1), (HOUR, 1), (6 * HOUR, 2)):
        host.clock += passed
        look(host)
        assert kicks(host, "apt-daily-upgrade.service") == started


def test_other_updates_may_wait_for_their_timer(host: AptHost) -> None:
    host.facts = [fix(host, "2.4-2", security=False, released=host.clock - 9 * DAY)]
    look(host)
    assert kicks(host, "apt-daily-upgrade.service") == 0


def test_lists_that_nobody_fetched_are_fetched(host: AptHost) -> None:
    assert kicks(host, "apt-daily.service") == 1  # there were none at the first look
    (host.home / "lists-updated").touch()
    host.clock = (host.home / "lists-updated").stat().st_mtime + 37 * HOUR
    look(host)
    assert kicks(host, "apt-daily.service") == 2


@pytest.mark.parametrize("text", ["", "[]", '{"trial": {"at": 1}}', '{"known": {}, "later": true}'])
def test_a_ledger_that_cannot_be_read_begins_anew(host: AptHost, text: str) -> None:
    (host.home / "patches.json").write_text(text)
    assert Ledger.read(host.home) == Ledger()
    assert look(host)["after"] is None


def test_a_host_without_apt_reports_what_it_knows(host: AptHost) -> None:
    (host.place / "bin/dpkg-query").write_text("#!/bin/sh\nexit 2\n")
    assert look(host)["pending"] == []
