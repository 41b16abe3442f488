"""The end of a server: nothing before its day, everything after it, and a receipt."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Letter
from audit.models import Event, Receipt
from domains.models import Domain, Mailbox
from engine import lease, worker
from engine.models import Run
from engine.program import Done, Hop, Nap
from servers import actions
from servers.models import Agent, Destruction, Metric, Server
from servers.programs.destroy import Destroy
from servers.programs.keep import Keep
from servers.programs.provision import Provision
from tests.servers.conftest import Vendor, program
from tests.servers.test_provision import order
from vault import signing
from vault.signing import Signature

pytestmark = pytest.mark.django_db


def schedule(server: Server, *, ended: timedelta = timedelta()) -> Destruction:
    row = actions.schedule_destruction(
        server=server, ended_at=timezone.now() - ended, reason="the subscription ended", by="gumroad"
    )
    assert row
    return row


def step(server: Server, name: str) -> Any:
    one = program(Destroy, server)
    one.run.step = name
    outcome = getattr(one, name)()
    one.run.save()
    server.refresh_from_db()
    return outcome


def test_the_day_is_seven_days_after_the_end(server: Server):
    ended = timezone.now() - timedelta(days=2)
    row = actions.schedule_destruction(server=server, ended_at=ended, reason="x", by="gumroad")
    assert row
    assert row.due_at == ended + settings.DESTRUCTION_GRACE
    assert timedelta(days=7) == settings.DESTRUCTION_GRACE


def test_an_end_heard_of_late_leaves_a_day(server: Server):
    row = schedule(server, ended=timedelta(days=40))
    assert timedelta(hours=23) < row.due_at - timezone.now() <= timedelta(days=1)


def test_saying_so_twice_changes_nothing(server: Server):
    first = schedule(server)
    second = schedule(server, ended=timedelta(days=-3))
    assert first.due_at == second.due_at
    assert Letter.objects.filter(kind="destruction_scheduled").count() == 1
    assert Event.objects.filter(action="destruction.scheduled").count() == 1


def test_nothing_happens_before_the_day(server: Server):
    schedule(server)
    assert isinstance(step(server, "wait_grace"), Nap)
    assert step(server, "begin") == Hop("wait_grace")


def test_who_comes_back_keeps_the_server(server: Server):
    schedule(server)
    assert actions.keep_server(server=server, by="gumroad") is True
    assert step(server, "wait_grace") == Done("kept")
    assert Letter.objects.filter(kind="server_kept").count() == 1


def test_keeping_what_is_not_to_be_destroyed_says_nothing(server: Server):
    assert actions.keep_server(server=server, by="gumroad") is True
    assert not Letter.objects.filter(kind="server_kept").exists()


def test_once_begun_there_is_no_way_back(server: Server):
    schedule(server)
    Destruction.objects.update(due_at=timezone.now())
    assert step(server, "begin") == Hop("stop_others")
    assert actions.keep_server(server=server, by="gumroad") is False


def test_ending_again_after_coming_back_counts_anew(server: Server):
    schedule(server, ended=timedelta(days=6))
    actions.keep_server(server=server, by="gumroad")
    row = schedule(server)
    assert row.due_at - timezone.now() > timedelta(days=6, hours=23)


def test_other_programs_of_the_server_are_stopped_first(server: Server):
    schedule(server)
    assert step(server, "stop_others") == Hop("wait_for_others")
    assert isinstance(step(server, "wait_for_others"), Nap)
    assert not Run.objects.filter(program__in=[Provision.__name__, Keep.__name__], finished_at=None).exists()


def test_a_whole_end_leaves_no_machine_and_a_receipt_that_is_valid(server: Server, vendor: Vendor):
    order(server)
    machine = server.machine_id
    Agent.objects.create(server=server, key_hash="x", seal_key="x")
    Metric.objects.create(server=server, at=timezone.now(), cpu=1)
    schedule(server)
    finish(server)
    assert vendor.machines() == []
    assert not Agent.objects.exists()
    assert not Metric.objects.exists()
    assert server.gone_at is not None
    receipt = Receipt.objects.get(subject=server.subject)
    assert signing.is_valid("receipt", receipt.text, Signature(receipt.key, receipt.signature))
    assert str(machine) in receipt.text
    assert "no machine of this name" in receipt.text
    assert Letter.objects.filter(kind="destroyed").count() == 1


def finish(server: Server) -> None:
    """Lets the day come and the worker work."""
    Destruction.objects.filter(server=server).update(due_at=timezone.now())
    run = Run.objects.get(subject=server.subject, program="Destroy")
    for _ in range(60):
        Run.objects.filter(pk=run.pk, finished_at=None).update(
            due_at=timezone.now(), step_since=timezone.now() - timedelta(minutes=2)
        )
        for taken in lease.take(run_id=run.pk):
            worker.walk(taken, float("inf"))
        run.refresh_from_db()
        if run.finished_at:
            break
    server.refresh_from_db()


def test_a_machine_whose_id_was_never_heard_is_found_by_its_name(server: Server, vendor: Vendor):
    order(server)
    Server.objects.update(machine_id=None)
    schedule(server)
    finish(server)
    assert vendor.machines() == []


def test_a_machine_that_is_gone_already_counts_as_deleted(server: Server, vendor: Vendor):
    order(server)
    Server.objects.update(machine_id=999999)
    schedule(server)
    assert step(server, "delete_machine") == Hop("check_gone")
    assert "already gone" in str(Destruction.objects.get().answers)


def test_a_server_that_never_had_a_machine_has_a_receipt_too(server: Server, vendor: Vendor):
    schedule(server)
    finish(server)
    assert "there was no machine" in Receipt.objects.get().text


def test_a_name_is_free_again_after_the_end(server: Server, vendor: Vendor, account: Any):
    schedule(server)
    finish(server)
    again = actions.want_server(account=account, name="post", place="hel1", plan="basic", by="user:1")
    assert again.pk != server.pk


def test_once_traces_are_removed_no_agent_gets_in_again(server: Server, vendor: Vendor):
    order(server)
    schedule(server)
    step(server, "remove_traces")
    assert server.enrolment_hash == ""


def test_with_the_machine_goes_what_was_wanted_of_its_mail(server: Server, vendor: Vendor):
    firm = Domain.objects.create(account=server.account, home=server.pk, name="firm.test")
    Mailbox.objects.create(domain=firm, local="anna", password="{ARGON2ID}x", quota=10**9)
    other = Domain.objects.create(account=server.account, home=uuid4(), name="other.test")
    order(server)
    schedule(server)
    step(server, "remove_traces")
    assert list(Domain.objects.all()) == [other]
    assert not Mailbox.objects.exists()
    answers = Destruction.objects.get().answers
    assert [(one["what"], one["rows"]) for one in answers][-1] == ("its domains and mailboxes", 2)
