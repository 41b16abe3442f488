"""Sending is suspended: nothing leaves, nothing is lost, and everybody whom it concerns knows."""

from typing import Any

import pytest

from accounts import mail
from accounts.models import Letter
from audit.models import Event
from domains.models import Domain, WayOut
from engine.models import Run
from servers import actions, desired
from servers.models import Server, Suspension

pytestmark = pytest.mark.django_db
WHY = "it sends what nobody asked for"


@pytest.fixture
def sending(server: Server) -> Server:
    domain = Domain.objects.create(home=server.pk, name="example.org", account_id=server.account_id)
    WayOut.objects.create(
        home=server.pk, account_id=server.account_id, region="eu-central-1", port=587, access_key="AKIA", sealed="x",
        sender=domain,
    )  # fmt: skip
    return server


def way_out(server: Server) -> Any:
    order: Any = desired.wanted(server)
    return order["mail"]["relay"]


def test_there_is_no_way_out_while_it_lasts(sending: Server):
    before = way_out(sending)
    assert before["username"] == "AKIA"
    actions.suspend_sending(server=sending, reason=WHY, by="user:9")
    assert way_out(sending) is None
    assert actions.resume_sending(server=sending, by="user:9", reason="mended")
    assert way_out(sending) == before


def test_it_is_said_once_and_written_down(sending: Server):
    first = actions.suspend_sending(server=sending, reason=WHY, by="user:9")
    assert actions.suspend_sending(server=sending, reason="another", by="user:9") == first
    assert Suspension.objects.get().reason == WHY
    assert actions.resume_sending(server=sending, by="user:9", reason="mended")
    assert not actions.resume_sending(server=sending, by="user:9", reason="mended")
    said = Event.objects.filter(action__startswith="sending.").values_list("action", "by")
    assert list(said) == [("sending.suspended", "user:9"), ("sending.resumed", "user:9")]


def test_the_owner_hears_of_both(sending: Server):
    actions.suspend_sending(server=sending, reason=WHY, by="user:9")
    actions.resume_sending(server=sending, by="user:9")
    texts = {one.kind: str(mail.compose(one).body) for one in Letter.objects.all()}
    assert WHY in texts["sending_suspended"]
    assert "queue and leaves when sending is resumed" in texts["sending_suspended"]
    assert "is being sent" in texts["sending_resumed"]


def test_a_second_time_is_another_time(sending: Server):
    for _ in range(2):
        actions.suspend_sending(server=sending, reason=WHY, by="user:9")
        actions.resume_sending(server=sending, by="user:9")
    assert Letter.objects.filter(kind="sending_suspended").count() == 2


def test_the_order_is_made_at_once_and_not_after_a_rest(sending: Server):
    Run.objects.create(program="Keep", subject=sending.subject, step="rest")
    actions.suspend_sending(server=sending, reason=WHY, by="user:9")
    assert Run.objects.get(program="Keep").wakes == 1


def test_another_server_goes_on(sending: Server, account: Any):
    other = actions.want_server(account=account, name="other", place="fsn1", plan="basic", by="user:1")
    actions.suspend_sending(server=other, reason=WHY, by="user:9")
    assert way_out(sending) is not None
