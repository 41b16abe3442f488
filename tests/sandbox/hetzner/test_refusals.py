"""What the stand-in refuses, as the vendor would: with the same status, code and details."""

import concurrent.futures

import hcloud
import pytest
import requests
from hcloud.firewalls import FirewallRule
from hcloud.images import Image
from hcloud.server_types import ServerType

from sandbox.hetzner.api import OPERATIONS

WISH = {"name": "alice", "server_type": "cx23", "image": "debian-13", "location": "fsn1"}


@pytest.mark.parametrize("path", ["/servers", "/servers/1", "/actions/1", "/firewalls", "/nowhere"])
def test_nothing_is_told_without_the_token(standin, path):
    for headers in (
        {"Authorization": ""},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic token-of-alice"},
    ):
        answer = standin.call("GET", path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_the_client_sees_a_wrong_token_as_unauthorized(standin):
    with pytest.raises(hcloud.APIException) as refusal:
        standin.client(token="wrong").servers.get_all()
    assert refusal.value.code == "unauthorized"
    assert refusal.value.correlation_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "under_score"}, "name"),
        ({"name": "-begins.badly"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"server_type": "cx9000"}, "server_type"),
        ({"server_type": "cpx11"}, "server_type"),  # not offered in Falkenstein
        ({"image": "debian-1"}, "image"),
        ({"image": "310557661"}, "image"),  # of the other architecture
        ({"location": "mars1"}, "location"),
        ({"labels": {"who": "alice@example.test"}}, "labels"),
        ({"labels": {"hetzner.cloud/x": "y"}}, "labels"),
        ({"labels": {"k": "a" * 64}}, "labels"),
        ({"labels": []}, "labels"),
        ({"user_data": "a" * (32 * 1024 + 1)}, "user_data"),
        ({"user_data": "ä" * (16 * 1024 + 1)}, "user_data"),  # bytes count, not characters
        ({"firewalls": [{"firewall": 4711}]}, "firewalls"),
        ({"firewalls": [4711]}, "firewalls"),
        ({"datacenter": "fsn1-dc14"}, "datacenter"),  # removed by the vendor
        ({"volumes": [1]}, "volumes"),
    ],
)
def test_a_bad_order_is_refused_by_field(standin, change, field):
    answer = standin.call("POST", "/servers", json={**WISH, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "invalid_input")
    assert [one["name"] for one in error["details"]["fields"]] == [field]
    assert standin.machines() == []


def test_user_data_of_exactly_the_most_is_taken(standin):
    assert standin.call("POST", "/servers", json={**WISH, "user_data": "a" * 32 * 1024}).status_code == 201


def test_a_body_that_is_no_json_is_refused(standin):
    for body in (b"{", b"[]", b""):
        answer = standin.call("POST", "/servers", data=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "json_error")


def test_a_name_is_given_once(standin, ordered, order):
    with pytest.raises(hcloud.APIException) as refusal:
        order(ordered.name)
    assert refusal.value.code == "uniqueness_error"
    assert refusal.value.details == {"fields": [{"name": "name"}]}
    assert standin.calls()[-1]["status"] == 409


def test_a_server_cannot_take_the_name_of_another(ordered, order, client):
    other = order("bob.example.test").server
    with pytest.raises(hcloud.APIException) as refusal:
        client.servers.update(other, name=ordered.name)
    assert refusal.value.code == "uniqueness_error"


def test_of_many_orders_of_one_name_at_once_one_is_taken(standin):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: standin.call("POST", "/servers", json=WISH).status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_a_new_account_has_five_servers_until_the_limit_is_raised(standin, order):
    for number in range(5):
        order(f"server-{number}")
    with pytest.raises(hcloud.APIException) as refusal:
        order("one-too-many")
    assert refusal.value.code == "resource_limit_exceeded"
    assert refusal.value.details == {"limits": [{"name": "server_limit"}]}
    assert standin.calls()[-1]["status"] == 403
    requests.post(f"{standin.sandbox}/limits", json={"server_limit": 25}, timeout=10)
    assert order("no-longer-too-many").server.id


def test_the_limit_of_calls_is_kept_and_told(standin, client):
    requests.post(f"{standin.sandbox}/limits", json={"calls_an_hour": 2}, timeout=10)
    first = standin.call("GET", "/locations")
    assert first.headers["RateLimit-Limit"] == "2"
    assert first.headers["RateLimit-Remaining"] == "1"
    assert int(first.headers["RateLimit-Reset"]) > 0
    client.locations.get_all()
    with pytest.raises(hcloud.APIException) as refusal:
        client.locations.get_all()
    assert refusal.value.code == "rate_limit_exceeded"


def test_lists_come_in_pages(standin):
    requests.post(f"{standin.sandbox}/limits", json={"server_limit": 100}, timeout=10)
    for number in range(27):
        standin.call("POST", "/servers", json={**WISH, "name": f"s{number}"})
    first = standin.call("GET", "/servers?sort=name:desc")
    pages = first.json()["meta"]["pagination"]
    assert (len(first.json()["servers"]), first.json()["servers"][0]["name"]) == (25, "s9")
    assert pages == {
        "page": 1,
        "per_page": 25,
        "previous_page": None,
        "next_page": 2,
        "last_page": 2,
        "total_entries": 27,
    }
    assert 'rel="next"' in first.headers["Link"]
    assert len(standin.call("GET", "/servers?page=2").json()["servers"]) == 2
    assert len(standin.client().servers.get_all()) == 27


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "per_page=51", "sort=price", "label_selector=a%20b%20c"]
)
def test_a_list_that_cannot_be_is_refused(standin, query):
    assert standin.call("GET", f"/servers?{query}").json()["error"]["code"] == "invalid_input"


def test_a_firewall_is_made_found_applied_and_removed_when_free(client, standin):
    web = FirewallRule(direction="in", protocol="tcp", port="443", source_ips=["0.0.0.0/0", "::/0"])
    wall = client.firewalls.create("mail", rules=[web], labels={"by": "mailat"}).firewall
    wish = {"server_type": ServerType(name="cx23"), "image": Image(name="debian-13")}
    server = client.servers.create("alice", **wish, firewalls=[wall]).server
    assert client.firewalls.get_by_name("mail").applied_to[0].server.id == server.id
    assert [one.id for one in client.firewalls.get_all(label_selector="by=mailat")] == [wall.id]
    assert client.servers.get_by_id(server.id).public_net.firewalls[0].firewall.id == wall.id
    with pytest.raises(hcloud.APIException) as refusal:
        client.firewalls.delete(wall)
    assert refusal.value.code == "resource_in_use"
    client.servers.delete(server)
    assert client.firewalls.delete(wall)
    assert client.firewalls.get_by_name("mail") is None


def test_a_firewall_for_labels_protects_those_that_bear_them(standin, order):
    order("bare.example.test")
    labelled = order("labelled.example.test", labels={"role": "mail"}).server
    target = {"type": "label_selector", "label_selector": {"selector": "role=mail"}}
    wall = standin.call("POST", "/firewalls", json={"name": "mail", "apply_to": [target]}).json()["firewall"]
    assert wall["applied_to"][0]["applied_to_resources"] == [
        {"type": "server", "server": {"id": labelled.id}}
    ]


@pytest.mark.parametrize(
    "rule",
    [
        {"direction": "up", "protocol": "tcp", "port": "1", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "sctp", "port": "1", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "tcp", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "tcp", "port": "70000", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "tcp", "port": "2-1", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "icmp", "port": "1", "source_ips": ["::/0"]},
        {"direction": "in", "protocol": "tcp", "port": "1", "source_ips": []},
        {"direction": "in", "protocol": "tcp", "port": "1", "source_ips": ["10.0.0.1/8"]},
        {"direction": "out", "protocol": "tcp", "port": "1", "source_ips": ["::/0"]},
    ],
)
def test_a_bad_rule_is_refused(standin, rule):
    answer = standin.call("POST", "/firewalls", json={"name": "mail", "rules": [rule]})
    assert answer.json()["error"]["code"] == "invalid_input"


def test_a_firewalls_name_is_given_once(client):
    client.firewalls.create("mail")
    with pytest.raises(hcloud.APIException) as refusal:
        client.firewalls.create("mail")
    assert refusal.value.code == "uniqueness_error"


@pytest.mark.parametrize(
    "path", [path for method, path in OPERATIONS.values() if "<int:id>" in path and method == "GET"]
)
def test_what_is_not_there_is_not_found(standin, path):
    answer = standin.call("GET", path.replace("<int:id>", "4711"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_method_that_does_not_stand_there_is_told_from_a_missing_path(standin):
    assert standin.call("PATCH", "/servers").json()["error"]["code"] == "method_not_allowed"
    assert standin.call("GET", "/ssh_keys").json()["error"]["code"] == "not_found"


def test_datacenters_are_gone(standin):
    assert standin.call("GET", "/datacenters").status_code == 410
