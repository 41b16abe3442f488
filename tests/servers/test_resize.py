"""Another plan is paid for: the machine grows in its window, and serves whatever happens."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import mail
from accounts.models import Letter
from audit.models import Event
from backups.models import Job
from clients.object_storage import Storage
from engine.models import Alarm, Run
from servers import actions, hetzner, plan_changes, rebuilding, resizing
from servers.models import PlanChange, Server
from tests.servers.conftest import Vendor
from tests.servers.growing import Growing
from tests.servers.moving import failed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
State = PlanChange.State


@pytest.fixture
def grows(server: Server, vendor: Vendor, storage: Storage) -> Growing:
    return Growing(server, vendor)


def test_the_machine_grows_and_is_the_same(grows: Growing):
    grows.want("plus")
    grows.ends()
    assert grows.machine() == ("cx33", "running")
    assert (grows.server.machine_id, grows.server.ipv4, grows.server.ipv6) == grows.first
    assert (grows.server.plan, grows.server.machine_type) == ("plus", "cx33")
    assert grows.server.rebuilding_since is None
    assert (grows.letters("plan_planned"), grows.letters("plan_changed")) == (1, 1)
    assert grows._live("Keep")


def test_it_is_backed_up_before_it_is_touched(grows: Growing):
    grows.want("plus")
    grows.at_resize("begin")
    assert Job.objects.get(do="backup").state == "done"
    assert grows.commands() == []
    assert grows.change.state == State.WAITING


def test_what_it_did_is_written_down(grows: Growing):
    grows.want("plus")
    grows.ends()
    said = list(Event.objects.filter(action__startswith="server.plan").values_list("action", flat=True))
    assert said == [
        "server.plan_change_wanted", "server.plan_change_time_set", "server.plan_change_begun", "server.plan_changed"
    ]  # fmt: skip


def test_until_its_window_nothing_happens(grows: Growing):
    grows.want("plus", now=False)
    assert grows.change.at > timezone.now() + plan_changes.NOTICE - timedelta(minutes=1)
    grows.work()
    assert grows.commands() == []
    assert Run.objects.get(program="Resize").step == "wait_window"


def test_saying_so_again_changes_nothing(grows: Growing):
    grows.want("plus", now=False)
    first = grows.change
    for _ in range(3):
        assert resizing.want_plan(server=grows.server, plan="plus", by="gumroad") == first
    assert (PlanChange.objects.count(), grows.letters("plan_planned")) == (1, 1)
    assert Event.objects.filter(action="server.plan_change_wanted").count() == 1


def test_the_plan_before_it_withdraws_it(grows: Growing):
    grows.want("plus", now=False)
    assert resizing.want_plan(server=grows.server, plan="basic", by="gumroad") is None
    assert resizing.want_plan(server=grows.server, plan="basic", by="gumroad") is None
    assert grows.change.state == State.WITHDRAWN
    assert grows._live("Resize") is None
    assert grows.letters("plan_stays") == 1


def test_a_third_plan_takes_the_place_of_the_second(grows: Growing):
    grows.want("plus", now=False)
    grows.want("pro")
    grows.ends()
    assert grows.machine() == ("cx43", "running")
    assert list(PlanChange.objects.order_by("pk").values_list("after", "state")) == [
        ("plus", State.WITHDRAWN), ("pro", State.DONE)
    ]  # fmt: skip


def test_no_such_plan_is_never_guessed(grows: Growing):
    with pytest.raises(KeyError):
        resizing.want_plan(server=grows.server, plan="huge", by="gumroad")


def test_a_server_that_is_gone_has_no_plan_to_change(grows: Growing):
    Server.objects.filter(pk=grows.server.pk).update(gone_at=timezone.now())
    assert resizing.want_plan(server=grows.server, plan="plus", by="gumroad") is None
    assert PlanChange.objects.count() == 0


def test_where_the_first_type_is_sold_out_the_next_is_taken(grows: Growing):
    grows.vendor.fault(kind="out_of_stock", operation="change_type", server_type="cx33", times=None)
    grows.want("plus")
    grows.ends()
    assert grows.machine() == ("cpx32", "running")


def test_where_an_order_fails_afterwards_the_next_type_is_taken(grows: Growing):
    grows.vendor.fault(kind="fail_action", operation="change_type")
    grows.want("plus")
    grows.ends()
    assert grows.machine() == ("cpx32", "running")


def test_where_all_are_sold_out_it_serves_as_it_was_and_tries_again(grows: Growing):
    grows.vendor.fault(kind="out_of_stock", operation="change_type", times=None)
    grows.want("plus")
    grows.tries()
    assert grows.machine() == ("cx23", "running")
    assert (grows.server.plan, grows.server.rebuilding_since) == ("basic", None)
    assert (grows.change.state, grows.change.why) == (State.WAITING, "sold_out")
    assert grows.change.at > timezone.now()
    grows.vendor.mend()
    grows.now()
    grows.ends()
    assert grows.machine() == ("cx33", "running")


def test_a_reason_is_told_once_and_staff_after_three_times(grows: Growing):
    grows.vendor.fault(kind="out_of_stock", operation="change_type", times=None)
    grows.want("plus")
    grows.tries()
    for _ in range(2):
        assert not Alarm.objects.filter(key__endswith="plan_change_fails").exists()
        grows.now()
        grows.tries()
    assert grows.letters("plan_waits") == 1
    assert Alarm.objects.get(key__endswith="plan_change_fails").closed_at is None
    grows.vendor.mend()
    grows.now()
    grows.ends()
    assert Alarm.objects.get(key__endswith="plan_change_fails").closed_at


def test_a_provider_that_does_not_answer_for_long_does_not_keep_it_off(grows: Growing):
    grows.vendor.fault(kind="server_error", operation="change_type", times=None)
    grows.want("plus")
    grows.at_resize("change_type")
    grows.run(lambda: grows.change.failures == 1, waited=601)
    assert grows.machine() == ("cx23", "running")
    assert grows.change.why == "provider"


def test_an_answer_that_is_lost_does_not_change_it_twice(grows: Growing):
    grows.vendor.fault(kind="lose_answer", operation="change_type")
    grows.want("plus")
    grows.ends()
    assert grows.machine() == ("cx33", "running")
    assert grows.commands().count("change_type") == 1


def test_somebody_who_turns_it_on_meanwhile_is_not_in_the_way(grows: Growing):
    grows.want("plus")
    grows.at_resize("change_type")
    hetzner.cloud().power_on(grows.first[0] or 0)
    grows.ends()
    assert grows.machine() == ("cx33", "running")


def test_without_a_backup_nothing_is_touched(grows: Growing):
    grows.old.answers["backup"] = lambda _job: failed("the storage does not answer")
    grows.want("plus")
    grows.tries()
    assert grows.commands() == []
    assert (grows.change.why, grows.machine()) == ("backup", ("cx23", "running"))


def test_a_server_that_is_silent_is_left_alone(grows: Growing):
    grows.want("plus")
    grows.old_talks = False
    grows.server.agent.reported_at = timezone.now() - timedelta(minutes=6)
    grows.server.agent.save()
    grows.waits("silent")
    assert grows.commands() == []


def test_a_window_that_was_missed_is_not_stretched(grows: Growing):
    grows.want("plus", now=False)
    PlanChange.objects.update(at=timezone.now() - timedelta(hours=3))
    grows.work()
    assert grows.commands() == []
    assert grows.change.at > timezone.now()


def test_a_server_that_ends_does_not_change_and_one_that_is_kept_does(grows: Growing):
    actions.schedule_destruction(server=grows.server, ended_at=timezone.now(), reason="it ended", by="g")
    grows.want("plus")
    grows.waits("ending")
    assert grows.commands() == []
    assert actions.keep_server(server=grows.server, by="gumroad")
    grows.ends()


def test_a_move_goes_first_and_none_begins_while_the_machine_changes(grows: Growing):
    grows.want("plus")
    rebuilding.want_rebuild(server=grows.server, by="user:1")
    grows.waits("moves")
    grows.run(grows.is_over)
    PlanChange.objects.update(at=timezone.now())
    grows.first = (grows.server.machine_id, grows.server.ipv4, grows.server.ipv6)
    grows.old, grows.new = grows.new, grows._next()
    grows.old.answers["backup"] = grows.back_up
    grows.at_resize("change_type")
    with pytest.raises(rebuilding.CannotMove):
        rebuilding.want_rebuild(server=grows.server, by="user:1")
    grows.ends()
    assert grows.machine()[0] == "cx33"


def test_a_move_that_is_asked_for_during_the_backup_goes_first(grows: Growing):
    grows.want("plus")
    grows.at_resize("wait_backup")
    rebuilding.want_rebuild(server=grows.server, by="user:1")
    grows.waits("moves")
    assert grows.change.failures == 0
    assert grows.letters("plan_waits") == 0


def test_a_machine_that_serves_the_new_plan_already_is_not_touched(grows: Growing):
    Server.objects.update(machine_type="cpx32")
    grows.want("plus")
    grows.ends()
    assert grows.commands() == []
    assert grows.server.plan == "plus"


def test_what_is_paid_while_it_is_under_way_follows(grows: Growing):
    grows.want("plus")
    grows.at_resize("change_type")
    assert resizing.want_plan(server=grows.server, plan="pro", by="gumroad") == grows.change
    grows.run(lambda: grows.change.after == "pro")
    grows.now()
    grows.ends()
    assert grows.machine() == ("cx43", "running")
    assert grows.server.plan == "pro"


def test_a_disk_that_did_not_grow_is_told_to_staff(grows: Growing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Growing, "disk_gb", 40)
    grows.want("plus")
    grows.at_resize("wait_grown")
    grows.run(lambda: grows.change.state == State.DONE, waited=301)
    assert Alarm.objects.get(key__endswith="disk_not_grown").closed_at is None


def test_a_machine_that_is_gone_at_the_provider_gives_up(grows: Growing):
    grows.want("plus")
    grows.at_resize("turn_off")
    hetzner.cloud().delete(grows.first[0] or 0)
    grows.tries()
    assert (grows.change.why, grows.server.rebuilding_since) == ("machine_gone", None)
    assert Run.objects.get(program="Resize").deadline_at is None


def test_its_letters_are_whole(grows: Growing):
    grows.want("plus")
    grows.ends()
    for letter in Letter.objects.filter(kind__startswith="plan_"):
        sent = mail.compose(letter)
        html = sent.alternatives[0][0]
        for text in (sent.body, html):
            assert "Basic" in str(text)
            assert "Plus" in str(text)
            assert f"/servers/{grows.server.pk}/plan" in str(text)
