"""On a real host: updates come by themselves, are looked after, and are taken back when they break mail."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.agent.mail.whole_host import WholeHost

MAKE_FIX = Path(__file__).with_name("make_fix.py")
BROKEN = "/usr/sbin/dovecot"
FETCH, UPGRADE = "apt-daily.service", "apt-daily-upgrade.service"
TESTING, TAKING_BACK = "testing", "taking back"  # what the agent notes of an update

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def host(whole: WholeHost) -> WholeHost:
    """A server in good order, whose packages are kept and whose lists are fresh."""
    whole.begin()
    whole.wait(lambda mail: mail["canary"]["seconds"] and mail["patches"]["checked_at"])
    whole.put("/root/make_fix.py", MAKE_FIX.read_text())
    return whole


def publish(host: WholeHost, *words: str) -> dict[str, Any]:
    """A new security update is in the archive."""
    made: dict[str, Any] = json.loads(host.run("python3", "/root/make_fix.py", *words))
    return made


def update(host: WholeHost, *units: str) -> None:
    """What Debian's timers do."""
    for unit in units or (FETCH, UPGRADE):
        host.run("systemctl", "start", unit, check=False)


def version(host: WholeHost, package: str) -> str:
    return host.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", package).strip()


def applied(mail: dict[str, Any], package: str, to: str) -> dict[str, Any] | None:
    return next((f for f in mail["patches"]["applied"] if (f["package"], f["to"]) == (package, to)), None)


def test_apt_does_what_the_part_says(host: WholeHost) -> None:
    said = host.run("apt-config", "dump")
    assert 'APT::Periodic::Unattended-Upgrade "always";' in said
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in said
    timers = host.run("systemctl", "cat", "apt-daily.timer", "apt-daily-upgrade.timer")
    assert "OnCalendar=*-*-* 0,12:00" in timers
    assert "OnCalendar=*-*-* 4,16:30" in timers


def test_the_canary_went_out_and_came_back_by_the_ports_that_customers_use(host: WholeHost) -> None:
    said = host.wait(lambda mail: mail["canary"]["seconds"])["canary"]
    assert (said["misses"], said["error"], said["way"]) == (0, "", "direct")
    assert (
        host.run(
            "doveadm", "mailbox", "status", "-u", "canary@post.servers.test", "messages", "INBOX"
        ).split()[-1]
        == "messages=0"
    )


def test_a_good_update_is_applied_timed_and_proven(host: WholeHost) -> None:
    fix = publish(host, "postsrsd", "+deb13u9")
    update(host)
    said = host.wait(lambda mail: applied(mail, "postsrsd", fix["version"]) and mail["patches"]["after"])

    entry = applied(said, "postsrsd", fix["version"])
    assert entry
    assert (entry["from"], entry["security"], entry["published_at"]) == (fix["before"], True, fix["date"])
    assert entry["applied_at"] > fix["date"]
    assert (said["patches"]["after"]["ok"], said["patches"]["after"]["why"]) == (True, "")
    proven = said["patches"]["after"]["at"]
    host.wait(lambda mail: mail["canary"]["at"] > proven and not mail["canary"]["error"])


def kill_the_agent(host: WholeHost, stage: str) -> None:
    """End it once its notes say that it is so far."""
    noted = f"""grep -q '"stage": "{stage}"' /var/lib/mailat/mail/patches.json"""
    kill = "systemctl kill --signal=KILL mailat-agent.service"
    host.run("timeout", "300", "sh", "-c", f"until {noted}; do sleep .1; done; exec {kill}")


def test_an_update_that_breaks_mail_is_taken_back_though_the_agent_is_killed_and_no_mail_is_lost(
    host: WholeHost,
) -> None:
    fix = publish(host, "dovecot", "+deb13u9", BROKEN)
    host.receive("before")
    update(host)
    assert version(host, "dovecot-core").startswith(fix["version"])
    for stage in (TESTING, TAKING_BACK):
        host.receive(f"while it is broken: {stage}")
        kill_the_agent(host, stage)
    host.receive("while the agent is killed")
    said = host.wait(lambda mail: mail["patches"]["taken_back"])["patches"]
    host.receive("after")

    assert version(host, "dovecot-core") == f"{fix['before']} hi"
    assert host.run("apt-mark", "showhold").split() == fix["packages"]
    assert sorted(each["package"] for each in said["taken_back"]) == fix["packages"]
    assert {each["version"] for each in said["taken_back"]} == {fix["version"]}
    assert said["taken_back"][0]["why"]
    assert said["after"]["ok"]
    assert {fix["package"] for fix in said["pending"] if fix["security"]} >= set(fix["packages"])
    host.wait(lambda mail: mail["canary"]["at"] > said["after"]["at"] and not mail["canary"]["error"])
    broken = [f"while it is broken: {stage}" for stage in (TESTING, TAKING_BACK)]
    wanted = sorted(["after", "before", "while the agent is killed", *broken])
    host.wait(lambda _mail: len(host.subjects()) >= len(wanted))
    assert host.subjects() == wanted


def test_the_broken_version_stays_away_and_the_next_one_comes_by_itself(host: WholeHost) -> None:
    update(host, UPGRADE)
    assert version(host, "dovecot-core").endswith(" hi")

    fix = publish(host, "dovecot", "+deb13u10")
    update(host, FETCH)  # new lists; the agent starts the rest
    said = host.wait(lambda mail: applied(mail, "dovecot-core", fix["version"]))
    assert said["patches"]["after"]["ok"]
    assert version(host, "dovecot-core") == f"{fix['version']} ii"
    assert host.run("apt-mark", "showhold") == ""


def test_a_reboot_that_an_update_needs_comes_in_the_customers_hours_and_mail_is_proven_after_it(
    host: WholeHost,
) -> None:
    before = {None, *(report["boot_id"] for report in host.control.reports)}
    host.run("touch", "/run/reboot-required")
    assert host.wait(lambda mail: mail["patches"]["reboot_needed"])["patches"]["booted_at"]

    asked = time.time()
    host.want(reboot={"days": list(range(7)), "hour": 0, "hours": 24})
    host.control.wait_for_report(lambda report: report["boot_id"] not in before)
    said = host.wait(lambda mail: mail["patches"]["after"]["at"] > asked and mail["canary"]["seconds"])
    assert (said["patches"]["after"]["ok"], said["patches"]["reboot_needed"]) == (True, False)
