"""From a wish to a server that works, step by step, whatever Hetzner does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from clients.errors import TryLater
from engine import actions as engine
from engine.models import Run
from engine.program import Done, Hop, Nap
from servers.models import Agent, Firewall, Pause, Server
from servers.programs.keep import Keep
from servers.programs.provision import LOOK_AFTER, SOLD_OUT_NAP, Provision
from tests.servers import reports
from tests.servers.conftest import Vendor, program

pytestmark = pytest.mark.django_db


def step(server: Server, name: str, **args: Any) -> Any:
    """Takes one step of the server's live run, as a worker would, and puts the run there."""
    one = program(Provision, server)
    one.run.step = name
    one.run.args.update(args)
    outcome = getattr(one, name)()
    one.run.save()
    server.refresh_from_db()
    return outcome


def order(server: Server) -> None:
    step(server, "make_firewall")
    assert step(server, "order_machine") == Hop("name_ipv4")


def enrol(server: Server) -> Agent:
    agent = Agent.objects.create(server=server, key_hash="x", seal_key="x", reported_at=timezone.now())
    engine.signal("enrolled", subject=server.subject)
    return agent


def test_the_firewall_is_made_once_and_has_no_door_for_ssh(server: Server, vendor: Vendor):
    assert step(server, "make_firewall") == Hop("order_machine")
    assert step(server, "make_firewall") == Hop("order_machine")
    assert vendor.calls() == ["GET /v1/firewalls", "POST /v1/firewalls"] or vendor.calls()[-1].startswith(
        "POST"
    )
    assert len([call for call in vendor.calls() if call.startswith("POST")]) == 1
    assert "22" not in __import__("servers.hetzner").hetzner.PORTS


def test_a_machine_is_ordered_under_our_name(server: Server, vendor: Vendor):
    order(server)
    (machine,) = vendor.machines()
    assert machine["name"] == f"mailat-{server.pk}"
    assert server.machine_id == machine["id"]
    assert (server.machine_type, server.ipv4, bool(server.ipv6)) == ("cx23", machine["ip"], True)


def test_ordering_again_finds_the_machine_that_is_there(server: Server, vendor: Vendor):
    order(server)
    first = server.machine_id
    order(server)
    assert server.machine_id == first
    assert len(vendor.machines()) == 1


def test_a_lost_answer_makes_no_second_machine(server: Server, vendor: Vendor):
    step(server, "make_firewall")
    vendor.fault(kind="lose_answer", operation="create_server", times=1)
    with pytest.raises(TryLater):
        step(server, "order_machine")
    assert step(server, "order_machine") == Hop("name_ipv4")
    assert len(vendor.machines()) == 1
    assert server.machine_id == vendor.machines()[0]["id"]


def test_the_next_type_is_taken_where_the_first_is_sold_out(server: Server, vendor: Vendor):
    vendor.fault(kind="out_of_stock", server_type="cx23", times=None)
    step(server, "make_firewall")
    assert step(server, "order_machine") == Nap(0)
    assert step(server, "order_machine") == Hop("name_ipv4")
    assert server.machine_type == "cpx22"


def test_where_all_are_sold_out_we_wait_and_then_begin_with_the_first(server: Server, vendor: Vendor):
    vendor.fault(kind="out_of_stock", location="fsn1", times=None)
    step(server, "make_firewall")
    assert [step(server, "order_machine") for _ in range(3)] == [Nap(0), Nap(0), Nap(SOLD_OUT_NAP)]
    vendor.mend()
    assert step(server, "order_machine") == Hop("name_ipv4")
    assert server.machine_type == "cx23"


def test_a_rate_limit_met_by_one_worker_pauses_all(server: Server, vendor: Vendor):
    step(server, "make_firewall")
    vendor.fault(kind="rate_limited", operation="create_server", times=1)
    with pytest.raises(TryLater) as met:
        step(server, "order_machine")
    Provision.failed(met.value)
    asked = len(vendor.calls())
    with pytest.raises(TryLater) as paused:
        step(server, "order_machine")
    assert paused.value.code == "rate_limit_exceeded"
    assert len(vendor.calls()) == asked
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert step(server, "order_machine") == Hop("name_ipv4")


def test_a_full_account_is_for_a_person(server: Server, vendor: Vendor):
    from clients.hetzner_cloud import AccountFull

    vendor_limit = {"server_limit": 0}
    vendor._call("POST", "limits", vendor_limit)
    step(server, "make_firewall")
    with pytest.raises(AccountFull):
        step(server, "order_machine")


def test_both_addresses_get_the_name(server: Server, vendor: Vendor):
    order(server)
    assert step(server, "name_ipv4") == Hop("name_ipv6")
    assert step(server, "name_ipv6") == Hop("wait_agent")


def test_three_calls_are_enough(server: Server, vendor: Vendor):
    step(server, "make_firewall")
    before = len(vendor.calls())
    for name in ("make_firewall", "order_machine", "name_ipv4", "name_ipv6"):
        step(server, name)
    assert len(vendor.calls()) - before == 3


def test_a_firewall_that_somebody_deleted_is_made_again(server: Server, vendor: Vendor):
    Firewall.objects.create(name="mailat-mail", firewall_id=4711)
    assert step(server, "order_machine") == Hop("make_firewall")
    order(server)
    assert vendor.machines()


def test_we_wait_for_the_agent_and_do_not_ask_hetzner(server: Server, vendor: Vendor):
    order(server)
    before = vendor.calls()
    assert isinstance(step(server, "wait_agent"), Nap)
    enrol(server)
    assert step(server, "wait_agent") == Hop("set_up")
    assert vendor.calls() == before


def test_an_agent_that_does_not_call_makes_us_look(server: Server, vendor: Vendor):
    order(server)
    Run.objects.update(step_since=timezone.now() - LOOK_AFTER - timedelta(seconds=1))
    assert step(server, "wait_agent") == Hop("look_at_machine")
    assert step(server, "look_at_machine") == Hop("wait_agent")


def test_a_machine_that_vanished_is_replaced_by_one_with_another_token(server: Server, vendor: Vendor):
    vendor.fault(kind="fail_action", operation="create_server", times=1)
    order(server)
    first, old_hash = server.machine_id, server.enrolment_hash
    wait_until_gone(vendor)
    assert step(server, "look_at_machine") == Hop("drop_machine")
    assert step(server, "drop_machine") == Hop("wait_before_another")
    assert server.enrolment_hash == ""
    Run.objects.update(step_since=timezone.now() - timedelta(seconds=10))
    assert step(server, "wait_before_another") == Hop("order_machine")
    order(server)
    assert server.machine_id != first
    assert server.enrolment_hash not in ("", old_hash)


def wait_until_gone(vendor: Vendor) -> None:
    import time

    for _ in range(200):
        if not vendor.machines():
            return
        time.sleep(0.02)
    raise AssertionError("the machine did not vanish")


def test_a_machine_that_never_calls_is_given_up(server: Server, vendor: Vendor):
    order(server)
    assert step(server, "look_at_machine", ordered_at=0) == Hop("drop_machine")
    step(server, "drop_machine")
    wait_until_gone(vendor)


def test_a_server_is_proven_only_by_a_report_that_came_after_the_set_up(server: Server, vendor: Vendor):
    order(server)
    agent = enrol(server)
    assert step(server, "set_up") == Hop("wait_set_up")
    assert step(server, "wait_set_up") == Nap(15)
    Agent.objects.update(applied_version=1)
    assert step(server, "wait_set_up") == Hop("prove")
    well = {
        "applied": 1,
        "disk_total": 5,
        "mem_total": 5,
        "services": {"x": "active"},
        "mail": reports.healthy(),
    }
    for amiss in (
        {"applied": 0}, {"services": {"x": "failed"}}, {"mem_total": None}, {"mail": None}, {"undone": ["mail: x"]},
        {"mail": reports.healthy(probes={})}, {"mail": reports.healthy(probes={"smtp": "no answer"})},
        {"mail": reports.healthy(certificates=[reports.certificate("x", error="not trusted")])},
        {"mail": reports.healthy(certificates=[])}, {"mail": reports.healthy(canary=None)},
        {"mail": reports.healthy(canary={"seconds": None, "misses": 1})},
    ):  # fmt: skip
        Agent.objects.update(report={**well, **amiss})
        assert step(server, "prove") == Nap(5)
        assert program(Provision, server).args["lacks"]
    Agent.objects.update(report=well)
    assert step(server, "prove") == Hop("announce")
    assert agent.pk == server.pk


def test_when_it_works_the_customer_is_told_and_the_resting_loop_begins(server: Server):
    assert step(server, "announce") == Done("ready")
    assert server.ready_at is not None
    assert Run.objects.filter(program=Keep.__name__, subject=server.subject).exists()
    assert Event.objects.filter(action="server.ready", subject=server.subject).count() == 1
