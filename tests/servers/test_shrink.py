"""A smaller plan is paid for: the server moves where all fits, and where it does not, nothing is moved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import mail
from accounts.models import Account, Letter
from clients.object_storage import Storage
from domains.models import Mailbox
from engine.models import Alarm
from servers import actions, plan_changes, rebuilding, resizing
from servers.models import PlanChange, Replacement, Server
from servers.plans import PLANS
from tests.servers.conftest import Vendor
from tests.servers.growing import Growing, fill

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
State = PlanChange.State
GB = 10**9


@pytest.fixture
def shrinks(account: Account, vendor: Vendor, storage: Storage) -> Growing:
    server = actions.want_server(account=account, name="post", place="fsn1", plan="plus", by="user:1")
    return Growing(server, vendor)


def test_it_moves_to_a_smaller_machine_with_the_old_one_as_the_way_back(shrinks: Growing):
    fill(shrinks.server, 10, 2 * GB)
    shrinks.stored = 15 * GB
    shrinks.want("basic")
    shrinks.run(lambda: shrinks.change.state == State.UNDER_WAY)
    assert (shrinks.row.plan, shrinks.row.old_plan) == ("basic", "plus")
    assert shrinks.row.old_machine == shrinks.first[0]
    shrinks.ends()
    assert shrinks.machine() == ("cx23", "running")
    assert (shrinks.server.plan, shrinks.server.machine_type) == ("basic", "cx23")
    assert (shrinks.server.ipv4, shrinks.server.ipv6) == shrinks.first[1:]
    assert shrinks.letters("plan_changed") == 1
    assert "change_type" not in shrinks.commands()


@pytest.mark.parametrize(
    ("mailboxes", "quota", "stored", "over"),
    [
        (11, GB, 0, "too_many"),
        (10, 4 * GB, 0, "promised_over"),
        (5, 5 * GB, 29 * GB, "stored_over"),
    ],
)
def test_what_does_not_fit_is_not_moved(shrinks: Growing, mailboxes: int, quota: int, stored: int, over: str):
    fill(shrinks.server, mailboxes, quota)
    shrinks.stored = stored
    shrinks.want("basic")
    shrinks.waits("no_room")
    fit = plan_changes.fit(shrinks.server, "basic")
    assert [name for name in ("too_many", "promised_over", "stored_over") if getattr(fit, name)] == [over]
    assert shrinks.commands() == []
    assert Replacement.objects.count() == 0
    assert shrinks.machine() == ("cx33", "running")
    assert shrinks.change.at > timezone.now() + timedelta(hours=19)


def test_the_owner_is_told_once_and_staff_after_fourteen_days(shrinks: Growing):
    fill(shrinks.server, 11, GB)
    shrinks.want("basic")
    shrinks.waits("no_room")
    for days in (1, 15):
        assert not Alarm.objects.filter(key__endswith="too_full_for_its_plan").exists()
        now = timezone.now()
        PlanChange.objects.update(wanted_at=now - timedelta(days=days), at=now, why="")
        shrinks.waits("no_room")
    assert shrinks.letters("plan_no_room") == 1
    assert Alarm.objects.get(key__endswith="too_full_for_its_plan").closed_at is None


def test_when_it_fits_it_moves_by_itself(shrinks: Growing):
    fill(shrinks.server, 11, GB)
    shrinks.want("basic")
    shrinks.waits("no_room")
    Mailbox.objects.filter(local="box-0").delete()
    PlanChange.objects.update(at=timezone.now())
    shrinks.ends()
    assert shrinks.machine() == ("cx23", "running")


def test_a_server_that_never_said_what_it_holds_is_not_moved(shrinks: Growing):
    server = Server(pk=shrinks.server.pk, plan="plus")
    shrinks.server.agent.report = {}
    shrinks.server.agent.save()
    assert plan_changes.fit(server, "basic").stored is None
    assert not plan_changes.fit(server, "basic").fits


def test_whoever_goes_back_keeps_the_old_plan_and_some_peace(shrinks: Growing):
    shrinks.want("basic")
    shrinks.run(lambda: shrinks.change.state == State.UNDER_WAY)
    shrinks.before("wait_restored")
    assert rebuilding.go_back(server=shrinks.server, by="user:1")
    shrinks.waits("went_back")
    assert shrinks.server.plan == "plus"
    assert shrinks.change.state == State.WAITING
    assert shrinks.change.at > timezone.now() + timedelta(days=2)


def test_going_back_after_it_served_gives_the_old_plan_back(shrinks: Growing):
    """The last backup failed, so the old machine is kept for a while, and its owner takes it."""
    shrinks.old.answers["backup"] = lambda _job: {"state": "failed", "why": "no", "result": {}}
    shrinks.want("basic")
    shrinks.run(lambda: shrinks.at("wait_release"))
    assert shrinks.server.plan == "basic"
    assert rebuilding.go_back(server=shrinks.server, by="user:1")
    shrinks.waits("went_back")
    assert shrinks.server.plan == "plus"
    assert shrinks.machine() == ("cx33", "running")


def test_without_a_restore_point_nothing_is_moved(shrinks: Growing):
    from backups.models import Point

    Point.objects.update(gone_at=timezone.now())
    shrinks.old.points.clear()
    shrinks.want("basic")
    shrinks.waits("no_point")
    assert shrinks.machine() == ("cx33", "running")


def test_the_larger_plan_again_withdraws_it(shrinks: Growing):
    fill(shrinks.server, 11, GB)
    shrinks.want("basic")
    shrinks.waits("no_room")
    assert resizing.want_plan(server=shrinks.server, plan="plus", by="gumroad") is None
    assert shrinks.change.state == State.WITHDRAWN
    assert shrinks.runs() == [shrinks._live("Keep")]


def test_room_is_left(shrinks: Growing):
    for small, large in (("basic", "plus"), ("plus", "pro")):
        fit = plan_changes.fit(shrinks.server, small)
        assert fit.most_stored < PLANS[small].mail_bytes < PLANS[large].mail_bytes


def test_its_letters_are_whole(shrinks: Growing):
    fill(shrinks.server, 11, GB)
    shrinks.want("basic")
    shrinks.waits("no_room")
    kinds = {}
    for letter in Letter.objects.filter(kind__startswith="plan_"):
        sent = mail.compose(letter)
        kinds[letter.kind] = str(sent.body)
        assert f"/servers/{shrinks.server.pk}/plan" in str(sent.alternatives[0][0])
    assert "moves to a smaller machine" in kinds["plan_planned"]
    assert "does not fit there" in kinds["plan_no_room"]
