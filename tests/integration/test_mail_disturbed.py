"""A server's mail is disturbed in every way: it flows or waits, nothing is lost, whoever must know is told, and it heals."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from domains.actions import mailbox as mailboxes
from domains.models import Domain, Mailbox
from engine.models import Alarm
from sandbox.hosts.debian import possible
from servers.models import Agent
from tests.integration.mail_faults import (
    dead,
    faulty_agent,
    full_disk,
    have_faketime,
    kill,
    no_way,
    wrong_clock,
)
from tests.integration.mail_product import database, product
from tests.integration.mail_town import ALICE, BOB, Town, eventually
from tests.integration.mail_traffic import Traffic

DAEMONS = (
    "postfix",
    "dovecot",
    "rspamd",
    "redis-server",
    "nginx",
    "php8.4-fpm",
    "postsrsd",
    "fail2ban",
    "mailat-policy",
)
DELIVERING = ("postfix", "dovecot")  # who may die between a mail's arrival and the word that it arrived
MISSED = "Our test mail did not come back twice in a row."
FAR = "dave@outside.test"

pytestmark = [pytest.mark.integration, pytest.mark.root]


@pytest.fixture(scope="module")
def running(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("town")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    with django_db_blocker.unblock(), database() as url, product(home, url) as running:
        yield Town(running)


@pytest.fixture
def town(running: Town) -> Town:
    """All is well in it."""
    running.calm()
    return running


def test_each_daemon_is_killed_while_mail_comes_in_and_is_back_by_itself(town: Town) -> None:
    traffic = Traffic(town.mail, ALICE)
    for unit in DAEMONS:
        kill(town.host, f"{unit}.service")
    traffic.end()

    # Nobody knows what became of a mail that a daemon had in hand when it died, so it is delivered again (RFC 1047).
    town.all_there(traffic, most_copies=1 + len(DELIVERING))
    town.well()


def test_daemons_that_stay_dead_are_told_of_and_heal_when_they_can(town: Town) -> None:
    units = [f"{unit}.service" for unit in DAEMONS]
    traffic = Traffic(town.mail, ALICE)
    with dead(town.host, *units):
        for unit in units:
            town.alarm(f"{unit} does not run.")
        town.letter("postfix.service does not run.", to="staff@mailat.test")
        town.says(MISSED)
        town.letter(MISSED)
        Alarm.objects.update(opened_at=F("opened_at") - timedelta(minutes=11))
        town.letter("The service “smtp” does not answer as it should.")
    town.well()
    traffic.end()

    town.all_there(traffic, most_copies=1 + len(DELIVERING))
    town.letter(f"is over: {MISSED}")


def test_a_full_disk_keeps_mail_waiting_at_its_senders(town: Town) -> None:
    traffic = Traffic(town.mail, ALICE)
    with full_disk(town.host):
        town.says("Its disk is full: mail for you waits at its senders.")
        town.alarm("Its disk is full")
        town.letter("Its disk is full: mail for you waits at its senders.")
        eventually(
            lambda: any(answer.startswith("452 4.3.1") for answer in list(traffic.put_off)), "a full disk"
        )
    town.well()
    traffic.end()

    town.all_there(traffic, most_copies=2)
    town.letter("is over: Its disk is full")


@pytest.mark.parametrize("off", ["-5h", "+5h"])
def test_a_wrong_clock_is_told_of_and_mail_goes_on(town: Town, off: str) -> None:
    have_faketime(town.host)
    traffic = Traffic(town.mail, ALICE)
    with wrong_clock(town.host, off):
        town.says("Its clock is wrong.")
        town.alarm("Its clock is wrong.")
        assert town.mail.submit(ALICE, FAR, f"by a clock {off}")[0] == 250
    town.well()
    traffic.end()
    town.mail.arrived(FAR, f"by a clock {off}")
    eventually(lambda: town.page() and town.certificate.get("error") == "", "trust in the certificate")

    town.all_there(traffic, most_copies=1 + len(DELIVERING))


def test_mail_needs_no_control_plane_for_an_hour(town: Town) -> None:
    traffic = Traffic(town.mail, ALICE)
    with town.product.away():
        assert town.mail.submit(ALICE, FAR, "nobody watches")[0] == 250
        town.mail.arrived(FAR, "nobody watches")
        Agent.objects.update(reported_at=timezone.now() - timedelta(hours=1))
        town.product.start("worker", "beat")
        eventually(lambda: any("has not reported since" in one for one in town.alarms()), "an alarm")
        town.letter("It has been silent for ten minutes.")
        mailboxes.add_mailbox(
            domain=Domain.objects.get(), local="erin", quota=2**28, most=town.most, by="test"
        )
    town.well()
    traffic.end()

    town.all_there(traffic)
    town.letter("is over: It has been silent for ten minutes.")
    eventually(lambda: town.mail.write("erin@firm.test")[0] == 250, "the mailbox that was added meanwhile")


def test_what_cannot_leave_waits_with_its_reason_and_leaves_by_itself(town: Town) -> None:
    subjects = []

    def waits(reason: str) -> None:
        subjects.append(f"waits, because {reason}")
        assert town.mail.submit(ALICE, FAR, subjects[-1])[0] == 250
        town.look_again()
        town.says(reason)

    for kind, reason in {"throttle": "Throttling failure", "no_login": "535", "down": "421"}.items():
        town.sandbox.post("/internet/api/ses/faults", kind=kind, times=100_000)
        waits(reason)
        town.sandbox.post("/internet/api/ses/faults/clear")
    with no_way(town.host, "udp dport 53 drop", "tcp dport 53 drop"):
        waits("Host or domain name not found")
    with no_way(town.host, "tcp dport 587 reject with icmpx type no-route"):
        waits("is unreachable")
        town.says(MISSED)
    town.well()  # our test mail comes back first, and then the agent has all that waits tried at once
    for subject in subjects:
        town.mail.arrived(FAR, subject)


@pytest.mark.parametrize(
    ("local", "reason"), [("checker", "dovecot: "), ("prober", "imaps no longer works: nobody answers")]
)
def test_an_order_that_breaks_mail_is_taken_back_by_itself(town: Town, local: str, reason: str) -> None:
    """A checker refuses the one; the other passes them all and shuts a door."""
    refused = "It refused its newest settings and goes on with the ones before."
    traffic = Traffic(town.mail, ALICE)
    with faulty_agent(town.host):
        town.well()
        before = town.report["mail"]["generation"]
        with town.change():
            box = mailboxes.add_mailbox(
                domain=Domain.objects.get(), local=local, quota=2**28, most=town.most, by="test"
            )
        assert reason in town.says("The server refused it: “", "/mail")
        town.says(refused)
        town.alarm(refused)
        town.letter(refused)
        assert town.report["mail"]["generation"] == before
        assert town.mail.imap(ALICE, lambda door: door.select("INBOX")[0]) == "OK"
        with town.change():
            mailboxes.remove_mailbox(mailbox=box, by="test")
        town.well()
    traffic.end()

    town.all_there(traffic, most_copies=2)


def test_a_mailbox_that_was_taken_over_is_stopped_alone(town: Town) -> None:
    bob = Mailbox.objects.get(local="bob")
    with town.change():
        mailboxes.change_mailbox(
            mailbox=bob, name="", quota=bob.quota, per_hour=10, per_day=20, most=town.most, by="test"
        )
    answers = [town.mail.submit(BOB, f"victim{number}@outside.test", "spam") for number in range(60)]
    assert answers[-1][0] == 550, answers[-1]
    assert "Sending from this mailbox was stopped" in answers[-1][1]
    town.says(f"Sending was stopped for {BOB}")
    town.letter(f"Sending was stopped for {BOB}")
    town.letter(f"Sending was stopped for {BOB}", to="bob@elsewhere.test")
    assert town.mail.submit(ALICE, FAR, "others go on")[0] == 250
    town.mail.arrived(FAR, "others go on")
    assert town.mail.write(BOB, "he is still written to")[0] == 250
    town.mail.read(BOB, "he is still written to")
    with town.change():
        mailboxes.release_mailbox(mailbox=bob, by="test")
    town.well()
