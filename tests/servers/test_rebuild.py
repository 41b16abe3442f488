"""A whole server on another machine: what comes back, what stays the same, and what is said where it does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Letter
from agent.mailat_agent.backup import password
from audit.models import Event
from backups.models import Job
from engine.models import Alarm, Run
from servers import desired, reaper, rebuilding, state
from servers.models import Agent, Replacement, Server
from tests.servers import moving
from tests.servers.conftest import Vendor
from tests.servers.moving import Move

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
STATE = Replacement.State


@pytest.fixture
def move(server: Server, vendor: Vendor, settings: Any) -> Move:
    settings.STORAGE_URL, settings.STORAGE_BUCKET = "http://127.0.0.1:1", "mailat"
    return Move(server, vendor)


def want(move: Move, **how: Any) -> None:
    rebuilding.want_rebuild(server=move.server, by="user:1", **how)


def test_a_server_comes_back_with_its_addresses_and_the_old_machine_goes(move: Move):
    want(move)
    move.run(move.is_over)
    ((name, (machine, address)),) = move.machines().items()
    assert (name, address) == (f"mailat-{move.server.pk}", move.first[1])
    assert machine == move.server.machine_id != move.first[0]
    assert (move.server.ipv4, move.server.ipv6) == move.first[1:]
    assert move.server.rebuilding_since is None
    assert (move.row.state, move.row.restored, move.row.lost_since) == (STATE.DONE, moving.MESSAGES, None)
    assert Run.objects.filter(program="Keep", subject=move.server.subject, finished_at=None).count() == 1
    assert Letter.objects.filter(kind="server_rebuilt").count() == 1
    assert not Alarm.objects.filter(closed_at=None).exists()


def test_mail_is_closed_for_the_last_backup_and_that_one_is_restored(move: Move):
    want(move)
    move.run(move.is_over)
    assert move.row.point == move.last
    (closing,) = move.old.orders[-1]["backup"]["jobs"]
    assert (closing["do"], closing["closing"]) == ("backup", True)
    (restore,) = [job for order in move.new.orders[:1] for job in order["backup"]["jobs"]]
    assert (restore["do"], restore["point"]) == ("restore", move.last)


def test_the_new_machine_gets_the_password_sealed_to_itself_and_makes_no_point_of_nothing(move: Move):
    want(move)
    move.run(move.is_over)
    first = move.new.orders[0]["backup"]
    assert password.handed(move.new.key, str(move.server.pk), first["password"]) == moving.PASSWORD
    assert first["hold"] is True
    move.run(lambda: "hold" not in move.new.orders[-1]["backup"])


def test_the_old_agents_secret_counts_no_more_and_that_wipes_nothing(move: Move):
    want(move)
    move.run(lambda: move.row.retired_at is not None)
    assert move.old.report().status_code == 401
    move.run(move.is_over)
    assert move.old.report().status_code == 401
    assert Agent.objects.get().seal_key == move.new.seal_key


def test_an_old_token_enrols_nobody_while_another_machine_is_awaited(move: Move):
    from servers.userdata import enrolment_token

    want(move)
    move.new_talks = False
    move.run(lambda: (run := move._live("Rebuild")) is not None and run.step == "wait_agent")
    assert moving.Machine(move.server).enrol(enrolment_token(move.server, 1)) == 403


def test_where_the_agent_is_away_the_newest_point_comes_back_and_what_is_lost_is_said(move: Move):
    Agent.objects.update(reported_at=timezone.now() - timedelta(hours=2))
    move.old_talks = False
    want(move)
    move.run(lambda: move.row.served_at is not None)
    row = move.row
    assert (row.last_backup, row.lost_since) == (None, row.point_at)
    assert not Job.objects.filter(do="backup").exists()
    assert row.point_at.isoformat(timespec="seconds") in str(
        Letter.objects.get(kind="server_rebuilt").context
    )


def test_an_old_machine_that_has_more_than_the_backup_is_kept_until_its_owner_says_so(move: Move):
    move.old.answers["backup"] = lambda job: moving.failed("the storage takes no more")
    want(move)
    move.run(lambda: move.row.served_at is not None)
    for _ in range(3):
        move.work()
    assert set(move.machines()) == {f"mailat-{move.server.pk}", move.row.old_name}
    assert move.row.release_at > timezone.now() + timedelta(days=2)
    assert rebuilding.release_old(server=move.server, by="user:1")
    move.run(move.is_over)
    assert set(move.machines()) == {f"mailat-{move.server.pk}"}


def test_a_last_backup_that_never_ends_is_not_waited_for_for_ever(move: Move):
    del move.old.answers["backup"]
    want(move)
    move.run(lambda: move.row.point != "", waited=1801)
    assert move.row.lost_since is not None


def test_mail_that_waited_to_leave_keeps_the_old_machine(move: Move):
    back_up = move.back_up
    move.old.answers["backup"] = lambda job: {**back_up(job), "result": {"queued": 3}}
    want(move)
    move.run(lambda: move.row.served_at is not None)
    assert (move.row.queued, move.row.lost_since) == (3, None)
    assert move.row.release_at is not None


def test_a_machine_that_is_gone_at_the_provider_comes_back_with_other_addresses(move: Move, vendor: Vendor):
    from servers import hetzner

    hetzner.cloud().delete(move.first[0] or 0)
    Agent.objects.update(reported_at=timezone.now() - timedelta(hours=2), health="lost")
    Server.objects.update(ready_at=timezone.now() - timedelta(days=1))
    reaper.reap()
    assert rebuilding.is_gone(move.server)
    want(move)
    move.run(move.is_over)
    assert set(move.machines()) == {f"mailat-{move.server.pk}"}
    assert (move.row.old_machine, move.row.old_ipv4) == (None, move.first[1])
    assert (move.row.state, move.row.addresses) == (STATE.DONE, {})
    reaper.reap()
    assert not rebuilding.is_gone(move.server)


def test_a_machine_that_was_heard_a_moment_ago_and_is_gone_is_not_waited_for(move: Move):
    from servers import hetzner

    hetzner.cloud().delete(move.first[0] or 0)
    want(move)
    move.run(lambda: move.row.point != "")
    assert (move.row.last_backup, move.row.lost_since) == (None, move.row.point_at)


def test_a_machine_that_falls_silent_while_it_closes_its_mail_is_not_waited_for(move: Move):
    del move.old.answers["backup"]
    want(move)
    move.before("wait_closed")
    move.old_talks = False
    Agent.objects.update(reported_at=timezone.now() - timedelta(minutes=6))
    move.run(lambda: move.row.point != "")
    assert move.row.lost_since is not None


def test_an_earlier_point_comes_back_where_that_is_wished(move: Move):
    earlier = move.point(ago=timedelta(hours=9), messages=7)
    move.new.answers["restore"] = lambda job: moving.done(point=job["point"], messages=7, not_served=[])
    want(move, point=earlier)
    move.run(move.is_over)
    assert (move.row.point, move.row.restored) == (earlier, 7)


def test_where_a_type_is_sold_out_another_serves_at_the_same_address(move: Move, vendor: Vendor):
    vendor.fault(kind="out_of_stock", server_type="cx23", times=None)
    want(move)
    move.run(move.is_over)
    assert (move.server.machine_type, move.server.ipv4) == ("cpx22", move.first[1])


def test_a_lost_answer_makes_no_second_machine(move: Move, vendor: Vendor):
    for operation in (
        "create_server",
        "unassign_primary_ip",
        "update_primary_ip",
        "update_server",
        "delete_server",
    ):
        vendor.fault(kind="lose_answer", operation=operation, times=1)
    want(move)
    move.run(move.is_over)
    assert len(move.machines()) == 1
    assert move.server.ipv4 == move.first[1]


def test_an_address_that_somebody_deleted_is_replaced(move: Move, vendor: Vendor):
    from servers import hetzner

    want(move)
    vendor.fault(kind="server_error", operation="create_server", times=None)
    move.run(lambda: move.row.retired_at is not None)
    hetzner.cloud().delete_address(move.row.addresses["ipv4"])
    vendor.mend()
    move.run(move.is_over)
    assert "ipv4" not in move.row.addresses
    assert move.server.ipv6 == move.first[2]


def test_a_new_machine_that_vanishes_is_replaced_and_the_addresses_stay(move: Move):
    from servers import hetzner

    want(move)
    del move.new.answers["restore"]
    move.run(lambda: (run := move._live("Rebuild")) is not None and run.step == "wait_restored")
    hetzner.cloud().delete(move.server.machine_id or 0)
    move.new = move._next()
    Agent.objects.update(reported_at=timezone.now() - timedelta(hours=1), enrolled_at=timezone.now())
    move.run(move.is_over, waited=700)
    assert move.server.ipv4 == move.first[1]


def test_asking_twice_is_asking_once_and_only_one_is_under_way(move: Move):
    want(move)
    want(move)
    assert Replacement.objects.count() == 1
    assert Event.objects.filter(action="server.rebuild_wanted").count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"ready_at": None}, "being made"), ({"gone_at": timezone.now()}, "deleted")],
)
def test_what_cannot_be_moved_is_refused_in_words(move: Move, changes: dict[str, Any], says: str):
    Server.objects.update(**changes)
    with pytest.raises(rebuilding.CannotMove, match=says):
        want(move)


def test_without_a_restore_point_nothing_is_begun(move: Move):
    move.repository.points.all().delete()
    with pytest.raises(rebuilding.CannotMove, match="no restore point"):
        want(move)


def test_meanwhile_its_page_says_so_and_nobody_is_told_of_troubles(move: Move):
    want(move)
    move.server.refresh_from_db()
    assert state.of(move.server).word == "being made"
    move.old.report(mail={**moving.reports.healthy(), "probes": {"smtp": "no answer"}})
    assert not Letter.objects.filter(kind="server_trouble").exists()


def test_other_jobs_of_the_old_machine_are_not_waited_for(move: Move):
    from backups import actions as backups

    job = backups.want_job(home=move.server.pk, do="drill", args={}, by="user:1")
    want(move)
    move.run(move.is_over)
    job.refresh_from_db()
    assert (job.state, job.why) == (Job.State.FAILED, "the server moves to another machine")


def test_settings_that_change_during_the_restore_are_ordered(move: Move):
    want(move)
    del move.new.answers["restore"]
    move.run(lambda: (run := move._live("Rebuild")) is not None and run.step == "wait_restored")
    Server.objects.update(reboot_hour=17)
    move.run(lambda: move.new.orders[-1]["mail"]["reboot"]["hour"] == 17)
    assert desired.is_current(Agent.objects.select_related("server").get())
