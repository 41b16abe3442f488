"""The agents' door: one enrolment, then reports; nonsense, thieves and the dead get nowhere."""

import json
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as some

from audit.models import Event
from domains.models import Erasure, Letter
from engine.models import Alarm, Signal
from servers import agent_api, desired, health
from servers.models import Agent, Destruction, Metric, Server
from servers.userdata import enrolment_token
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
SECRET = "the-agents-own-secret"


@pytest.fixture
def ordered(server: Server) -> Server:
    server.enrolment_hash = sha256(enrolment_token(server, 1).encode()).hexdigest()
    server.save()
    return server


def enrol(client: Client, of: Server, **other: Any) -> HttpResponse:
    body = {
        "server": str(of.pk), "token": enrolment_token(of, 1), "key": sha256(SECRET.encode()).hexdigest(),
        "seal_key": "A" * 44, "facts": {"os": "Debian 13"}, **other,
    }  # fmt: skip
    return client.post("/agent/v1/enrol", body, content_type="application/json")


def report(client: Client, server: Server, secret: str = SECRET, **said: Any) -> HttpResponse:
    body = {
        "applied": 0,
        "cpu": 5,
        "mem_used": 1,
        "mem_total": 4,
        "disk_used": 1,
        "disk_total": 2,
        "load1": 0.5,
        **said,
    }
    headers = {"Authorization": f"Bearer {server.pk}.{secret}"}
    return client.post("/agent/v1/report", json.dumps(body), content_type="application/json", headers=headers)


def test_an_agent_enrols_and_wakes_the_program_that_waits_for_it(client: Client, ordered: Server):
    assert enrol(client, ordered).status_code == 200
    assert Agent.objects.get().facts == {"os": "Debian 13"}
    assert Signal.objects.get().name == "enrolled"
    assert Event.objects.filter(action="agent.enrolled").count() == 1


def test_a_lost_answer_is_given_again_and_nothing_is_written_twice(client: Client, ordered: Server):
    assert enrol(client, ordered).content == enrol(client, ordered).content
    assert Event.objects.filter(action="agent.enrolled").count() == 1


@pytest.mark.parametrize("wrong", [{"token": "guessed"}, {"server": "00000000-0000-0000-0000-000000000000"}])
def test_a_wrong_token_opens_nothing(client: Client, ordered: Server, wrong: dict[str, str]):
    assert enrol(client, ordered, **wrong).status_code == 403
    assert not Agent.objects.exists()


def test_a_used_token_does_not_let_another_agent_in(client: Client, ordered: Server):
    enrol(client, ordered)
    assert enrol(client, ordered, key="f" * 64).status_code == 403
    assert report(client, ordered).status_code == 200


def test_before_a_machine_is_ordered_no_token_opens(client: Client, server: Server):
    assert enrol(client, server).status_code == 403


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"server": 5}', '{"server": "x", "token": "", "key": "", "seal_key": ""}']
)
def test_nonsense_is_refused(client: Client, ordered: Server, body: str):
    assert client.post("/agent/v1/enrol", body, content_type="application/json").status_code == 400


def test_a_report_is_kept_and_charted(client: Client, ordered: Server):
    enrol(client, ordered)
    assert report(client, ordered, net_rx=7, services={"cron.service": "active"}).status_code == 200
    metric, agent = Metric.objects.get(), Agent.objects.get()
    assert (metric.cpu, metric.memory, metric.disk, metric.received) == (5, 25, 50, 7)
    assert agent.report["services"] == {"cron.service": "active"}
    assert agent.reported_at is not None


def test_a_report_with_another_secret_is_refused(client: Client, ordered: Server):
    enrol(client, ordered)
    assert report(client, ordered, secret="stolen?").status_code == 401
    assert Agent.objects.get().reported_at is None
    assert not Metric.objects.exists()


def test_a_report_is_one_prepared_statement_and_no_query_more(
    client: Client, ordered: Server, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
):
    enrol(client, ordered)
    run: list[str] = []
    usual = agent_api.prepared.run
    monkeypatch.setattr(agent_api.prepared, "run", lambda *what: run.append(what[0]) or usual(*what))
    with django_assert_num_queries(0):
        report(client, ordered)
    assert run == [agent_api.REPORT]


def test_what_a_server_reports_to_be_erased_is_its_proof_and_nobody_elses(client: Client, ordered: Server):
    enrol(client, ordered)
    now, fields = timezone.now(), {"account": ordered.account, "why": "mailbox", "by": "user:1"}
    moments = {"asked_at": now, "due_at": now, "ordered_at": now}
    mine, other = (
        Erasure.objects.create(pk=uuid4(), home=home, address="a@firm.test", **fields, **moments)
        for home in (ordered.pk, uuid4())
    )
    erased = [{"id": str(one.pk), "at": 1_795_000_000} for one in (mine, other)]
    assert report(client, ordered, secret="stolen?", mail={"erased": erased}).status_code == 401
    assert Erasure.objects.under_way().count() == 2
    assert report(client, ordered, mail={"erased": erased}).status_code == 200
    assert Erasure.objects.under_way().get() == other


def test_what_a_server_reports_of_its_test_mails_is_noted_and_nobody_elses(client: Client, ordered: Server):
    enrol(client, ordered)
    mine, other = (
        Letter.objects.create(
            account=ordered.account, home=home, to="a@b.test", sender="c@d.test", by="user:1"
        )
        for home in (ordered.pk, uuid4())
    )
    told = [{"id": str(one.pk), "at": 5, "code": 250, "answer": "250 Ok 01"} for one in (mine, other)]
    assert report(client, ordered, secret="stolen?", mail={"letters": told}).status_code == 401
    assert not Letter.objects.exclude(answered_at=None).exists()
    assert report(client, ordered, mail={"letters": told}).status_code == 200
    noted = Letter.objects.exclude(answered_at=None).get()
    assert (noted, noted.code, noted.answer) == (mine, 250, "250 Ok 01")


def test_what_was_ordered_is_sent_until_it_is_applied(client: Client, ordered: Server):
    enrol(client, ordered)
    desired.order(Agent.objects.select_related("server").get())
    order = report(client, ordered).json()["desired"]
    assert json.loads(order["body"])["hostname"] == "post.mailat.test"
    assert report(client, ordered).json()["desired"] == order
    assert report(client, ordered, applied=1).json()["desired"] is None
    assert set(Signal.objects.values_list("name", flat=True)) == {"enrolled", "applied"}


def test_an_older_report_takes_nothing_back(client: Client, ordered: Server):
    enrol(client, ordered)
    desired.order(Agent.objects.select_related("server").get())
    report(client, ordered, applied=1)
    report(client, ordered, applied=0)
    assert Agent.objects.get().applied_version == 1


def test_the_pace_follows_what_is_going_on(client: Client, ordered: Server):
    enrol(client, ordered)
    assert report(client, ordered).json()["poll"] == desired.POLL_BUSY
    Server.objects.update(ready_at=timezone.now())
    assert report(client, ordered).json()["poll"] == desired.POLL_RESTING
    Server.objects.update(watched_until=timezone.now() + timedelta(minutes=1))
    assert report(client, ordered).json()["poll"] == desired.POLL_WATCHED


def test_the_agent_of_a_destroyed_server_is_told_to_stop(client: Client, ordered: Server):
    enrol(client, ordered)
    Destruction.objects.create(
        server=ordered, by="x", reason="x", due_at=timezone.now(), begun_at=timezone.now()
    )
    Server.objects.update(gone_at=timezone.now())
    assert report(client, ordered).status_code == 410
    assert enrol(client, ordered).status_code in (200, 403)


def test_a_silent_agent_is_late_then_lost_and_alarms_once(client: Client, ordered: Server):
    enrol(client, ordered)
    report(client, ordered)
    for silence, word in ((health.LATE_AFTER, "late"), (health.LOST_AFTER, "lost")):
        Agent.objects.update(reported_at=timezone.now() - silence - timedelta(seconds=1))
        health.look()
        health.look()
        assert Agent.objects.get().health == word
    assert Alarm.objects.filter(closed_at=None).count() == 1
    report(client, ordered)
    assert Agent.objects.get().health == "healthy"
    assert not Alarm.objects.filter(closed_at=None).exists()
    actions = (
        Event.objects.filter(action__startswith="server.").order_by("id").values_list("action", flat=True)
    )
    assert list(actions)[1:] == ["server.late", "server.lost", "server.heard_again"]


def test_a_prompt_agent_alarms_nobody(client: Client, ordered: Server):
    enrol(client, ordered)
    report(client, ordered)
    health.look()
    assert Agent.objects.get().health == "healthy"


def test_an_oversized_report_is_refused(client: Client, ordered: Server):
    enrol(client, ordered)
    assert report(client, ordered, agent="x" * agent_api.MOST_BYTES).status_code == 400


def test_a_report_that_is_too_deep_is_refused(client: Client, ordered: Server):
    enrol(client, ordered)
    body = "[" * 30000 + "]" * 30000
    headers = {"Authorization": f"Bearer {ordered.pk}.{SECRET}"}
    assert (
        client.post("/agent/v1/report", body, content_type="application/json", headers=headers).status_code
        == 400
    )


def test_words_that_postgres_does_not_keep_are_put_right(client: Client, ordered: Server):
    """Cut in the middle of a character, or with a NUL; and what only looks like one stays."""
    enrol(client, ordered)
    headers = {"Authorization": f"Bearer {ordered.pk}.{SECRET}"}
    for word in (
        rb"a\u0000b",
        rb"a\ud83db",
        b"a\xed\xa0\xbdb",
        rb"a\\u0000b",
        "a😀b".encode(),
        rb"a\ud83d\ude00b",
    ):
        body = (
            b'{"undone": [{"what": "%b", "why": "w"}], "backup": {"jobs": [{"id": "1", "state": "done",'
            b' "result": {"%b": "%b"}}]}, "mail": {"mailboxes": {"%b": [1, 2, 3]}}}'
        ).replace(b"%b", word)
        said = client.post("/agent/v1/report", body, content_type="application/json", headers=headers)
        assert said.status_code == 200, word
        kept = json.loads(b'["%b"]'.replace(b"%b", word).decode("utf-8", "surrogatepass"))[0]
        shown = re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", kept)
        assert Agent.objects.get().report["undone"] == [f"{shown}: w"]
        assert list(Agent.objects.get().report["mail"]["mailboxes"]) == [shown]


def test_facts_that_postgres_does_not_keep_do_not_keep_a_machine_out(client: Client, ordered: Server):
    assert enrol(client, ordered, facts={"cpu": "a\0b\ud800"}).status_code == 200
    assert Agent.objects.get().facts == {"cpu": "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"}


def test_what_a_host_could_not_do_is_kept_for_staff(client: Client, ordered: Server):
    enrol(client, ordered)
    report(client, ordered, undone=[{"what": "hostname", "why": "not root"}, 5])
    assert Agent.objects.get().report["undone"] == ["hostname: not root"]


def test_a_figure_too_small_for_its_column_is_none_at_all(client: Client, ordered: Server):
    enrol(client, ordered)
    assert report(client, ordered, cpu=1e-60, net_rx=5e-324).status_code == 200
    assert Metric.objects.get().cpu == 0


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = some.sampled_from([*agent_api.SIZES, "applied", "services", "refused", "undone", "agent", "boot_id"])


@how(
    max_examples=150,
    deadline=None,
    suppress_health_check=ONE_WORLD,
)
@given(said=some.dictionaries(FIELDS, ANYTHING, max_size=6))
def test_no_report_whatever_breaks_the_door(client: Client, ordered: Server, said: dict[str, Any]):
    if not Agent.objects.exists():
        enrol(client, ordered)
    assert report(client, ordered, **said).status_code in (200, 400)


def test_the_agent_is_handed_out(client: Client):
    assert b"".join(client.get("/agent/v1/agent.pyz")) == b"the agent"


def test_an_unknown_address_below_the_agents_is_no_page(client: Client):
    assert client.get("/agent/v1/other").status_code == 404
    assert client.get("/agent/v1/report").status_code == 405
