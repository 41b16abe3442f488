"""Everything that can be told to go wrong, seen by the vendor's own client."""

import threading

import hcloud
import pytest
import requests
from hcloud.actions import ActionFailedException

from tests.sandbox.hetzner.conftest import finish

PATIENCE = 4.0  # seconds of a client in which a server that is busy has done its work, though its answer does not come


def test_a_lost_answer_leaves_the_server_behind(standin, order, client):
    standin.fault("lose_answer", operation="create_server")
    with pytest.raises(requests.ConnectionError):
        order()
    left_behind = client.servers.get_by_name("alice.example.test")
    assert left_behind
    assert [call["lost"] for call in standin.calls() if call["operation"] == "create_server"] == [True]
    with pytest.raises(hcloud.APIException) as refusal:
        order()
    assert refusal.value.code == "uniqueness_error"


def test_a_lost_answer_can_also_be_a_lost_call(standin, order, client):
    standin.fault("lose_answer", operation="create_server", effect=False)
    with pytest.raises(requests.ConnectionError):
        order()
    assert client.servers.get_by_name("alice.example.test") is None


def test_a_lost_deletion_still_deletes(standin, ordered, client):
    standin.fault("lose_answer", operation="delete_server")
    with pytest.raises(requests.ConnectionError):
        client.servers.delete(ordered)
    assert client.servers.get_all() == []


def test_a_lost_answer_is_lost_under_any_server(standin, tmp_path):
    """Servers that hide their socket break off within the answer, which no client takes for one."""
    from wsgiref.simple_server import WSGIRequestHandler
    from wsgiref.simple_server import make_server as make_plain_server

    import flask

    from sandbox.hetzner import blueprint
    from sandbox.hosts import choose
    from tests.sandbox.hetzner.conftest import TOKEN

    app = flask.Flask("plain")
    app.register_blueprint(
        blueprint(tmp_path / "plain", TOKEN, choose("none", tmp_path, 1)), url_prefix="/hetzner"
    )
    handler = type("Quiet", (WSGIRequestHandler,), {"log_message": lambda *args: None})
    with make_plain_server("127.0.0.1", 0, app, handler_class=handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/hetzner"
        requests.post(f"{root}/sandbox/faults", json={"kind": "lose_answer"}, timeout=10)
        with pytest.raises(requests.RequestException):
            requests.get(f"{root}/v1/servers", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        server.shutdown()


def test_a_slow_answer_runs_into_the_clients_time_out_after_its_effect(standin, order, client):
    standin.fault("slow", operation="create_server", seconds=600)
    with pytest.raises(requests.Timeout):
        order(client=standin.client(timeout=PATIENCE))
    assert client.servers.get_by_name("alice.example.test")


def test_a_client_that_repeats_after_a_time_out_meets_its_own_server(standin, order):
    """The vendor's library repeats a create by itself; what it then hears is that the name is taken."""
    standin.fault("slow", operation="create_server", seconds=600)
    with pytest.raises(hcloud.APIException) as refusal:
        order(client=standin.client(timeout=PATIENCE, retries=1))
    assert refusal.value.code == "uniqueness_error"


def test_a_slow_boot_keeps_the_action_running(standin, order, client):
    standin.fault("slow", operation="boot", seconds=600)
    created = order()
    assert client.actions.get_by_id(created.action.id).status == "running"
    assert client.servers.get_by_id(created.server.id).status == "initializing"


def test_out_of_stock_is_for_a_type_at_a_place(standin, order, client):
    standin.fault("out_of_stock", server_type="cx23", location="fsn1", times=None)
    with pytest.raises(hcloud.APIException) as refusal:
        order()
    assert (refusal.value.code, standin.calls()[-1]["status"]) == ("resource_unavailable", 412)
    assert order("elsewhere", location="nbg1").server.id
    assert order("another", server_type="cx33").server.id
    stock = {one.location.name: one.available for one in client.server_types.get_by_name("cx23").locations}
    assert stock == {"fsn1": False, "nbg1": True, "hel1": True}


def test_out_of_stock_can_be_everywhere(standin, order):
    standin.fault("out_of_stock", times=3)
    for place in ("fsn1", "nbg1", "hel1"):
        with pytest.raises(hcloud.APIException):
            order(location=place)
    assert order().server.id


def test_too_many_calls(standin, order):
    standin.fault("rate_limited", operation="create_server")
    with pytest.raises(hcloud.APIException) as refusal:
        order()
    assert (refusal.value.code, standin.calls()[-1]["status"]) == ("rate_limit_exceeded", 429)
    assert order().server.id


def test_the_library_repeats_by_itself_what_was_too_often(standin, order):
    standin.fault("rate_limited", operation="create_server", times=2)
    assert order(client=standin.client(retries=3)).server.id


def test_locked(standin, ordered, client):
    standin.fault("locked", operation="delete_server")
    with pytest.raises(hcloud.APIException) as refusal:
        client.servers.delete(ordered)
    assert (refusal.value.code, standin.calls()[-1]["status"]) == ("locked", 423)
    finish(client.servers.delete(ordered))


@pytest.mark.parametrize(
    ("status", "code"), [(500, "server_error"), (502, "bad_gateway"), (503, "unavailable"), (504, "timeout")]
)
def test_an_error_of_the_vendor(standin, order, client, status, code):
    standin.fault("server_error", operation="create_server", status=status)
    with pytest.raises(hcloud.APIException) as refusal:
        order()
    assert (refusal.value.code, standin.calls()[-1]["status"]) == (code, status)
    assert client.servers.get_all() == []


def test_an_error_of_the_vendor_after_the_effect(standin, order, client):
    standin.fault("server_error", operation="create_server", status=502, effect=True)
    with pytest.raises(hcloud.APIException):
        order()
    assert client.servers.get_by_name("alice.example.test")


def test_a_create_whose_action_fails_leaves_nothing(standin, order, client, hosts):
    standin.fault("fail_action", operation="create_server")
    created = order()
    assert created.server.status == "initializing"
    with pytest.raises(ActionFailedException) as failure:
        finish(created.action)
    assert failure.value.action.error["code"] == "action_failed"
    assert client.servers.get_by_name("alice.example.test") is None
    assert not hosts.alive(created.server.id)
    assert order().server.id != created.server.id


def test_a_deletion_whose_action_fails_leaves_the_server(standin, ordered, client):
    standin.fault("fail_action", operation="delete_server")
    with pytest.raises(ActionFailedException):
        finish(client.servers.delete(ordered))
    assert client.servers.get_by_id(ordered.id).status == "running"


def test_reverse_dns_whose_action_fails_stays_as_it_was(standin, ordered, client):
    standin.fault("fail_action", operation="change_dns_ptr")
    with pytest.raises(ActionFailedException):
        finish(client.servers.change_dns_ptr(ordered, ordered.public_net.ipv4.ip, "mail.example.test"))
    assert client.servers.get_by_id(ordered.id).public_net.ipv4.dns_ptr == ordered.public_net.ipv4.dns_ptr


def test_a_refused_order_uses_up_no_failure(standin, ordered, order):
    standin.fault("fail_action", operation="create_server")
    with pytest.raises(hcloud.APIException):
        order(ordered.name)
    with pytest.raises(ActionFailedException):
        finish(order("bob.example.test").action)


def test_a_fault_of_another_operation_does_not_happen(standin, order):
    standin.fault("server_error", operation="delete_server")
    assert order().server.id


def test_a_fault_happens_as_often_as_told(standin, client):
    standin.fault("server_error", times=2)
    for _ in range(2):
        with pytest.raises(hcloud.APIException):
            client.locations.get_all()
    assert client.locations.get_all()


def test_faults_are_listed_and_cleared(standin, client):
    standin.fault("server_error", times=None)
    listed = requests.get(f"{standin.sandbox}/faults", timeout=10).json()["faults"]
    assert [(one["kind"], one["times"]) for one in listed] == [("server_error", None)]
    requests.delete(f"{standin.sandbox}/faults", timeout=10)
    assert client.locations.get_all()


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "slow", "operation": "dance"},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "times": "often"},
        {"kind": "slow", "seconds": -1},
        {"kind": "locked", "operation": "boot"},
        {"kind": "server_error", "status": 418},
        {"kind": "fail_action", "operation": "list_servers"},
        {"kind": "out_of_stock", "operation": "delete_server"},
        {"kind": "slow", "sceonds": 1},
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_a_reason(standin, wish):
    answer = requests.post(f"{standin.sandbox}/faults", json=wish, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(f"{standin.sandbox}/faults", timeout=10).json() == {"faults": []}
