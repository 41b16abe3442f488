"""Back to the old machine: when a move fails, when its owner wishes it, and where nothing is left to go back to."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Letter
from audit.models import Event
from engine.models import Alarm
from servers import hetzner, reaper, rebuilding
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


def want(move: Move) -> None:
    rebuilding.want_rebuild(server=move.server, by="user:1")


def assert_as_before(move: Move) -> None:
    """The old machine alone, with its name, its addresses and its agent, and it runs."""
    move.run(move.is_over)
    assert move.machines() == {f"mailat-{move.server.pk}": (move.first[0], move.first[1])}
    assert move.is_on(move.first[0])
    assert (move.server.machine_id, move.server.ipv4, move.server.ipv6) == move.first
    assert move.server.rebuilding_since is None
    assert move.row.state == STATE.BACK
    assert Agent.objects.get().seal_key == move.old.seal_key
    assert move.old.report().status_code == 200
    assert [run.program for run in move.runs()] == ["Keep"]
    assert Letter.objects.filter(kind="server_back").count() == 1
    assert all(one.leaves for one in hetzner.cloud().addresses_of(move.first[0] or 0))


def test_a_restore_that_fails_twice_leads_back(move: Move):
    move.new.answers["restore"] = lambda job: moving.failed("not all could be restored: x")
    want(move)
    assert_as_before(move)
    assert move.row.why == "not all could be restored: x"
    assert Event.objects.filter(action="server.restore_failed").count() == 2


def test_a_restore_that_fails_once_is_asked_for_again(move: Move):
    answers = iter([moving.failed("cut off")])
    move.new.answers["restore"] = lambda job: next(answers, None) or moving.restored(job)
    want(move)
    move.run(move.is_over)
    assert move.row.state == STATE.DONE


@pytest.mark.parametrize("result", [{"messages": 19_999}, {}, {"messages": True}])
def test_fewer_messages_than_the_point_has_are_no_restore(move: Move, result: dict[str, Any]):
    move.new.answers["restore"] = lambda job: moving.done(point=job["point"], not_served=[], **result)
    want(move)
    assert_as_before(move)


def test_mailboxes_that_nobody_has_any_more_need_not_come_back(move: Move):
    said = {"messages": 19_000, "not_served": ["former@firm.test"]}
    move.new.answers["restore"] = lambda job: moving.done(point=job["point"], **said)
    want(move)
    move.run(move.is_over)
    assert (move.row.state, move.row.restored) == (STATE.DONE, 19_000)


def test_where_nothing_can_be_had_the_old_machine_serves_again(move: Move, vendor: Vendor):
    vendor.fault(kind="out_of_stock", location="fsn1", times=None)
    want(move)
    move.run(lambda: move.row.retired_at is not None)
    for _ in range(6):
        move.work()
    assert move.at("order_machine")
    run = move._live("Rebuild")
    assert run
    run.args["sold_out_since"] = 0
    run.save(update_fields=["args"])
    assert_as_before(move)
    assert move.row.why == "The data centre had no machine free."


def test_a_project_with_no_room_for_two_machines_keeps_the_old_one(move: Move, vendor: Vendor):
    vendor._call("POST", "limits", {"server_limit": 1})
    want(move)
    assert_as_before(move)
    assert move.row.why == "There was no room for another machine."


def test_machines_that_never_call_lead_back_after_some(move: Move):
    move.new_talks = False
    want(move)
    move.run(lambda: move.at("wait_agent"))
    run = move._live("Rebuild")
    assert run
    run.args["attempt"] = 4
    run.save(update_fields=["args"])
    hetzner.cloud().delete(move.server.machine_id or 0)
    move.run(lambda: move.row.state == STATE.GOING_BACK, waited=200)
    assert_as_before(move)


STEPS = (
    "begin", "look_for_old", "close_mail", "wait_closed", "choose_point", "turn_off", "wait_off", "find_addresses", "keep_addresses",
    "rename_old", "retire", "make_firewall", "order_machine", "name_ipv4", "name_ipv6", "wait_agent", "set_up",
    "wait_set_up", "wait_restored", "prove", "announce",
)  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize("step", STEPS)
def test_its_owner_may_go_back_at_every_step(move: Move, step: str):
    want(move)
    move.before(step)
    assert rebuilding.go_back(server=move.server, by="user:1")
    assert_as_before(move)
    move.run(lambda: "hold" not in move.old.orders[-1]["backup"])


def test_going_back_twice_is_going_back_once(move: Move):
    want(move)
    assert rebuilding.go_back(server=move.server, by="user:1")
    assert not rebuilding.go_back(server=move.server, by="user:1")
    assert_as_before(move)


def test_once_the_old_machine_is_being_deleted_there_is_no_way_back(move: Move):
    want(move)
    move.before("delete_old")
    assert not rebuilding.go_back(server=move.server, by="user:1")
    move.run(move.is_over)
    assert move.row.state == STATE.DONE


def test_a_move_that_is_over_cannot_be_taken_back(move: Move):
    want(move)
    move.run(move.is_over)
    assert not rebuilding.go_back(server=move.server, by="user:1")
    assert not rebuilding.release_old(server=move.server, by="user:1")


def test_where_the_old_machine_is_gone_the_move_goes_on(move: Move):
    want(move)
    move.before("wait_restored")
    hetzner.cloud().delete(move.first[0] or 0)
    assert rebuilding.go_back(server=move.server, by="user:1")
    move.run(move.is_over)
    assert (move.row.state, move.row.why) == (STATE.DONE, "The old machine is gone at the provider.")
    assert len(move.machines()) == 1
    assert move.server.rebuilding_since is None


def test_a_restore_that_fails_with_nothing_to_go_back_to_is_tried_on_another_machine(move: Move):
    hetzner.cloud().delete(move.first[0] or 0)
    Agent.objects.update(reported_at=timezone.now() - timedelta(hours=1))
    move.new.answers["restore"] = lambda job: moving.failed("the disk has not enough room for it")
    want(move)
    move.run(lambda: Alarm.objects.filter(key__endswith=":restore_fails", closed_at=None).exists())
    first = move.server.machine_id
    move.new = move._next()
    move.run(move.is_over)
    assert move.server.machine_id != first
    assert move.row.state == STATE.DONE
    assert not Alarm.objects.filter(closed_at=None).exists()


def test_lost_answers_change_nothing(move: Move, vendor: Vendor):
    want(move)
    move.before("prove")
    for operation in (
        "delete_server",
        "assign_primary_ip",
        "update_primary_ip",
        "update_server",
        "power_on_server",
    ):
        vendor.fault(kind="lose_answer", operation=operation, times=1)
    assert rebuilding.go_back(server=move.server, by="user:1")
    assert_as_before(move)


def test_a_machine_that_was_silent_before_is_not_waited_for_for_ever(move: Move):
    Agent.objects.update(reported_at=timezone.now() - timedelta(hours=1))
    move.old_talks = False
    want(move)
    move.before("wait_agent")
    assert rebuilding.go_back(server=move.server, by="user:1")
    move.run(move.is_over, waited=901)
    assert move.row.state == STATE.BACK


def test_the_inventory_knows_the_old_machine_and_what_is_kept(move: Move):
    want(move)
    move.before("wait_restored")
    reaper.reap()
    assert not Alarm.objects.filter(key__startswith="reap:", closed_at=None).exists()
    Replacement.objects.update(finished_at=timezone.now())
    reaper.reap()
    keys = set(Alarm.objects.filter(closed_at=None).values_list("key", flat=True))
    assert {key.split(":")[1] for key in keys} == {"machine", "address"}
    assert len(keys) == 3
