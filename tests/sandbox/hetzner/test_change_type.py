"""A server becomes one of another type: only when it is off, only with as large a disk, and never half."""

from __future__ import annotations

import time

import pytest
from hcloud import APIException
from hcloud.actions.domain import ActionFailedException
from hcloud.server_types import ServerType

from tests.sandbox.hetzner.conftest import finish

CX33, CX23, CX43 = (ServerType(name=name) for name in ("cx33", "cx23", "cx43"))


@pytest.fixture
def off(client, ordered):
    finish(client.servers.power_off(ordered))
    return ordered


def refused(call) -> str:
    with pytest.raises(APIException) as problem:
        call()
    return str(problem.value.code)


def test_it_gets_the_larger_disk_and_is_started_again(client, off):
    answer = client.servers.change_type(off, CX33, upgrade_disk=True)
    assert answer.command == "change_server_type"
    finish(answer)
    now = client.servers.get_by_id(off.id)
    assert (now.server_type.name, now.primary_disk_size, now.status) == ("cx33", 80, "running")
    assert now.public_net.ipv4.ip == off.public_net.ipv4.ip


def test_without_the_disk_it_can_go_back(client, off):
    finish(client.servers.change_type(off, CX33, upgrade_disk=False))
    assert client.servers.get_by_id(off.id).primary_disk_size == 40
    finish(client.servers.power_off(off))
    finish(client.servers.change_type(off, CX23, upgrade_disk=False))
    assert client.servers.get_by_id(off.id).server_type.name == "cx23"


def test_with_the_disk_it_cannot(client, off):
    finish(client.servers.change_type(off, CX33, upgrade_disk=True))
    finish(client.servers.power_off(off))
    assert refused(lambda: client.servers.change_type(off, CX23, upgrade_disk=True)) == "invalid_server_type"


def test_one_that_runs_is_refused(client, ordered):
    assert (
        refused(lambda: client.servers.change_type(ordered, CX33, upgrade_disk=True)) == "server_not_stopped"
    )


@pytest.mark.parametrize("name", ["cx23", "cax21", "cpx31"])
def test_a_type_that_does_not_fit_is_refused(client, off, name):
    """The one that it has, one of another architecture, and one that is not sold there."""
    kind = ServerType(name=name)
    assert refused(lambda: client.servers.change_type(off, kind, upgrade_disk=True)) == "invalid_server_type"


@pytest.mark.parametrize(
    "body", [{}, {"server_type": "cx33"}, {"server_type": 7, "upgrade_disk": True}, {"upgrade_disk": True}]
)
def test_nonsense_is_refused(standin, off, body):
    answer = standin.call("POST", f"/servers/{off.id}/actions/change_type", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")


def test_nobody_is_unknown(client, off):
    finish(client.servers.delete(off))
    assert refused(lambda: client.servers.change_type(off, CX33, upgrade_disk=True)) == "not_found"


def test_while_it_is_copied_nothing_else_can_be_done(standin, client, off):
    standin.fault("slow", operation="resize", seconds=3600)
    client.servers.change_type(off, CX33, upgrade_disk=True)
    seen = client.servers.get_by_id(off.id)
    assert (seen.status, seen.locked, seen.server_type.name) == ("migrating", True, "cx23")
    for other in (client.servers.power_on, client.servers.delete):
        assert refused(lambda other=other: other(off)) == "locked"
    assert refused(lambda: client.servers.change_type(off, CX43, upgrade_disk=True)) == "locked"


def test_it_is_copied_though_that_takes_a_while(standin, client, off):
    standin.fault("slow", operation="resize", seconds=0.1)
    finish(client.servers.change_type(off, CX33, upgrade_disk=True))
    assert client.servers.get_by_id(off.id).status == "running"


def test_it_can_be_sold_out(standin, client, off):
    standin.fault("out_of_stock", operation="change_type", server_type="cx33")
    assert refused(lambda: client.servers.change_type(off, CX33, upgrade_disk=True)) == "resource_unavailable"
    assert client.servers.get_by_id(off.id).status == "off"
    finish(client.servers.change_type(off, CX33, upgrade_disk=True))


def test_its_action_can_fail_and_leaves_it_off_as_it_was(standin, client, off):
    standin.fault("fail_action", operation="change_type")
    with pytest.raises(ActionFailedException):
        finish(client.servers.change_type(off, CX33, upgrade_disk=True))
    now = client.servers.get_by_id(off.id)
    assert (now.server_type.name, now.primary_disk_size, now.status) == ("cx23", 40, "off")
    finish(client.servers.power_on(off))


def test_an_answer_that_is_lost_has_had_its_effect(standin, client, off):
    standin.fault("lose_answer", operation="change_type")
    with pytest.raises(Exception, match=r"[Cc]onnection"):
        client.servers.change_type(off, CX33, upgrade_disk=True)
    for _ in range(1000):
        now = client.servers.get_by_id(off.id)
        if now.status == "running":
            break
        time.sleep(0.01)
    assert now.server_type.name == "cx33"
