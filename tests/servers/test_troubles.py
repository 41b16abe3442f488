"""What reports complain of: found, told once, and taken back when it is over."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Letter
from audit.models import Event
from domains.models import Domain, Invitation, Mailbox
from engine.models import Alarm
from servers import state, troubles
from servers.models import Agent, Server
from tests.servers import reports
from tests.servers.test_agent_api import SECRET, enrol, report

pytestmark = pytest.mark.django_db


def codes(mail: dict[str, Any] | None = None, **host: Any) -> list[str]:
    return troubles.of({"mail": mail or reports.healthy(), **host})


def test_a_host_in_good_order_has_no_troubles():
    assert codes() == []
    assert troubles.of({}) == []


def test_one_late_canary_is_none_and_two_in_a_row_are():
    canary = reports.healthy()["canary"]
    assert codes(reports.healthy(canary={**canary, "misses": 1})) == []
    assert codes(reports.healthy(canary={**canary, "misses": 2})) == ["canary"]


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ({"services": {"postfix.service": "failed"}}, "service:postfix.service"),
        ({"services": {"dovecot.service": "inactive"}}, "service:dovecot.service"),
        ({"disk_used": 92.0, "disk_total": 100.0}, "disk"),
        ({"disk_used": 98.0, "disk_total": 100.0}, "disk_full"),
        ({"clock_off": -61.0}, "clock"),
        ({"undone": ["mail: nginx refused it"]}, "config"),
    ],
)
def test_what_the_host_says_of_itself(host: dict[str, Any], code: str):
    assert codes(**host) == [code]


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        ({"probes": {"imaps": "no answer"}}, "probe:imaps"),
        ({"stopped": [{"mailbox": "anna@firm.test", "why": "x"}]}, "stopped:anna@firm.test"),
        ({"certificates": [reports.certificate("post.mailat.test", 3)]}, "certificate:post.mailat.test"),
    ],
)
def test_what_the_mail_system_says(mail: dict[str, Any], code: str):
    assert codes(reports.healthy(**mail)) == [code]


def test_a_queue_is_no_trouble_while_nothing_can_leave_yet():
    queue, canary = {"oldest": 9 * 3600}, reports.healthy()["canary"]
    assert codes(reports.healthy(queue=queue)) == []
    assert codes(reports.healthy(queue=queue, canary={**canary, "way": "relay"})) == ["queue"]


def test_fixes_count_from_the_fourth_day_on_and_only_for_security():
    def patches(*fixes: dict[str, Any]) -> dict[str, Any]:
        return reports.healthy(patches={**reports.healthy()["patches"], "pending": list(fixes)})

    assert codes(patches(reports.pending(days=2), reports.pending(days=9, security=False))) == []
    assert codes(patches(reports.pending(days=4))) == ["fixes"]


def test_every_trouble_has_words_and_says_what_comes_next():
    for kind in ("canary", "probe:imaps", "service:x", "disk", "disk_full", "clock", "config", "queue", "stopped:a@b",
                 "certificate:x", "fixes", "update_taken_back:x"):  # fmt: skip
        assert troubles.says(kind) != kind
        assert troubles.advice(kind)


@pytest.fixture
def ready(client: Client, server: Server) -> Server:
    """A server that was handed over and whose agent reports."""
    from hashlib import sha256

    from servers.userdata import enrolment_token

    Server.objects.filter(pk=server.pk).update(
        ready_at=timezone.now(), enrolment_hash=sha256(enrolment_token(server, 1).encode()).hexdigest()
    )
    server.refresh_from_db()
    enrol(client, server)
    return server


def tell(client: Client, server: Server, mail: dict[str, Any], **host: Any) -> None:
    assert report(client, server, SECRET, at=timezone.now().timestamp(), mail=mail, **host).status_code == 200


def missed(misses: int) -> dict[str, Any]:
    return reports.healthy(
        canary={**reports.healthy()["canary"], "misses": misses, "error": "did not arrive"}
    )


def test_two_missed_canaries_raise_one_alarm_and_reach_the_owners_by_our_own_mail(
    client: Client, ready: Server
):
    for misses in (1, 2, 3, 4):
        tell(client, ready, missed(misses))
    assert Alarm.objects.filter(subject=ready.subject, closed_at=None).count() == 1
    letter = Letter.objects.get(kind="server_trouble")
    assert letter.to == "alice@example.test"
    assert Event.objects.filter(action="server.trouble_began").count() == 1
    agent = Agent.objects.select_related("server").get()
    assert state.of(agent.server).word == "down"
    assert "test mail" in state.of(agent.server).why


def test_when_it_is_over_the_alarm_closes_and_the_owners_hear_of_it(client: Client, ready: Server):
    tell(client, ready, missed(2))
    tell(client, ready, reports.healthy())
    assert not Alarm.objects.filter(subject=ready.subject, closed_at=None).exists()
    assert Letter.objects.filter(kind="server_well").count() == 1
    assert state.of(Server.objects.select_related("agent").get(pk=ready.pk)).word == "working"


def test_a_server_that_is_being_made_alarms_nobody(client: Client, ready: Server):
    Server.objects.update(ready_at=None)
    tell(client, ready, missed(5))
    assert not Alarm.objects.exists()


def test_a_trouble_that_comes_and_goes_writes_one_letter_in_six_hours(client: Client, ready: Server):
    for misses in (2, 0, 2, 0, 2):
        tell(client, ready, missed(misses) if misses else reports.healthy())
    assert Letter.objects.filter(kind="server_trouble").count() == 1


def test_services_that_stay_away_are_told_to_the_owners_in_one_letter_and_so_is_their_return(
    client: Client, ready: Server
):
    gone = {"nginx.service": "failed", "fail2ban.service": "inactive"}
    tell(client, ready, reports.healthy(), services=gone)
    troubles.tell_of_lasting()
    assert not Letter.objects.exists()

    Alarm.objects.update(opened_at=timezone.now() - timedelta(minutes=11))
    for _ in range(3):
        troubles.tell_of_lasting()
    said = Letter.objects.get(kind="server_trouble").context["says"]
    assert said == "fail2ban.service does not run. nginx.service does not run."

    tell(client, ready, reports.healthy(), services={**gone, "nginx.service": "active"})
    assert not Letter.objects.filter(kind="server_well").exists()
    tell(client, ready, reports.healthy())
    assert Letter.objects.filter(kind="server_well").count() == 1


def test_the_person_whose_mailbox_was_stopped_is_told_at_their_other_address(client: Client, ready: Server):
    domain = Domain.objects.create(account=ready.account, home=ready.pk, name="firm.test")
    anna = Mailbox.objects.create(domain=domain, local="anna", quota=10**9)
    now = timezone.now()
    Invitation.objects.create(
        mailbox=anna, to="anna@elsewhere.test", token_hash="x", by="user:1", used_at=now,
        expires_at=now + timedelta(days=7),
    )  # fmt: skip
    tell(client, ready, reports.healthy(stopped=[{"mailbox": "anna@firm.test", "why": "600 in an hour"}]))
    told = set(Letter.objects.filter(kind="server_trouble").values_list("to", flat=True))
    assert told == {"alice@example.test", "anna@elsewhere.test"}


def test_the_canarys_time_is_charted(client: Client, ready: Server):
    from servers.models import Metric

    tell(client, ready, reports.healthy(), canary_seconds=1.25)
    assert Metric.objects.get().canary == 1.25


def test_nothing_of_it_is_lost_in_json(client: Client, ready: Server):
    tell(client, ready, reports.healthy())
    assert json.loads(json.dumps(Agent.objects.get().report))["mail"]["generation"] == 3
