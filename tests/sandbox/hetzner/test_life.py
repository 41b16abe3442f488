"""The life of a server, told by the vendor's own client."""

import hcloud
import pytest
from hcloud.images import Image
from hcloud.server_types import ServerType

from sandbox.hosts import choose
from tests.sandbox.hetzner.conftest import Standin, finish


def test_a_server_is_answered_before_its_machine_runs(order):
    created = order()
    assert created.server.status == "initializing"
    assert [created.action.command, *[one.command for one in created.next_actions]] == [
        "create_server",
        "start_server",
    ]
    assert created.action.status == "running"


def test_it_runs_when_its_action_has_succeeded(order, client, hosts):
    created = order()
    finish(created.action, *created.next_actions)
    assert client.servers.get_by_id(created.server.id).status == "running"
    assert hosts.alive(created.server.id)


def test_it_is_locked_while_an_action_runs_and_not_after(standin, order, client):
    standin.fault("slow", operation="boot", seconds=600)
    assert order("slow.example.test").server.locked
    quick = order("quick.example.test")
    finish(quick.action)
    finish(*quick.next_actions)
    assert client.servers.get_by_id(quick.server.id).locked is False


def test_it_has_a_place_but_no_datacenter(ordered, standin):
    shown = standin.call("GET", f"/servers/{ordered.id}").json()["server"]
    assert shown["location"]["name"] == "fsn1"
    assert "datacenter" not in shown
    assert {"available", "recommended"} <= set(shown["server_type"]["locations"][0])


def test_a_password_is_made_only_where_no_key_is_given(standin):
    wish = {"name": "a", "server_type": "cx23", "image": "debian-13"}
    assert standin.call("POST", "/servers", json=wish).json()["root_password"]
    keyed = {**wish, "name": "b", "ssh_keys": ["1"]}
    assert standin.call("POST", "/servers", json=keyed).json()["root_password"] is None


def test_it_is_found_by_name_label_and_status(ordered, order, client):
    order("bob.example.test", labels={"mailat": "bob"})
    assert client.servers.get_by_name("alice.example.test").id == ordered.id
    assert client.servers.get_by_name("charlie.example.test") is None
    assert [one.id for one in client.servers.get_all(label_selector="mailat=alice")] == [ordered.id]
    assert ordered.id in [one.id for one in client.servers.get_all(status=["running"])]
    assert client.servers.get_all(status=["migrating"]) == []


def test_name_and_labels_can_change_and_labels_are_replaced(ordered, client):
    client.servers.update(ordered, name="new.example.test", labels={"b": ""})
    again = client.servers.get_by_id(ordered.id)
    assert (again.name, again.labels) == ("new.example.test", {"b": ""})


def test_reverse_dns_is_set_and_reset(ordered, client):
    before, ip = ordered.public_net.ipv4.dns_ptr, ordered.public_net.ipv4.ip
    finish(client.servers.change_dns_ptr(ordered, ip, "mail.example.test"))
    assert client.servers.get_by_id(ordered.id).public_net.ipv4.dns_ptr == "mail.example.test"
    finish(client.servers.change_dns_ptr(ordered, ip, None))
    assert client.servers.get_by_id(ordered.id).public_net.ipv4.dns_ptr == before


def test_reverse_dns_of_ipv6_is_of_one_address_in_the_network(ordered, client):
    ip = ordered.public_net.ipv6.ip.replace("::/64", "::1")
    finish(client.servers.change_dns_ptr(ordered, ip, "mail.example.test"))
    shown = client.servers.get_by_id(ordered.id).public_net.ipv6.dns_ptr
    assert shown == [{"ip": ip, "dns_ptr": "mail.example.test"}]


def test_reverse_dns_of_a_strangers_address_is_refused(ordered, client):
    with pytest.raises(hcloud.APIException) as refusal:
        client.servers.change_dns_ptr(ordered, "192.0.2.1", "mail.example.test")
    assert refusal.value.code == "invalid_input"


def test_a_deleted_server_is_not_found_and_its_machine_ends(ordered, client, hosts):
    action = client.servers.delete(ordered)
    with pytest.raises(hcloud.APIException) as refusal:
        client.servers.get_by_id(ordered.id)
    assert refusal.value.code == "not_found"
    finish(action)
    assert not hosts.alive(ordered.id)


def test_a_second_deletion_finds_nothing(ordered, client):
    client.servers.delete(ordered)
    with pytest.raises(hcloud.APIException) as refusal:
        client.servers.delete(ordered)
    assert refusal.value.code == "not_found"


def test_the_name_of_a_deleted_server_is_free_again_but_not_its_id(ordered, order, client):
    client.servers.delete(ordered)
    assert order().server.id != ordered.id


def test_a_server_deleted_while_it_boots_leaves_no_machine(standin, order, client, hosts):
    standin.fault("slow", operation="boot", seconds=0.2)
    created = order()
    finish(client.servers.delete(created.server), created.action)
    assert not hosts.alive(created.server.id)
    assert standin.machines() == []


def test_actions_of_a_server_are_kept_and_found_together(ordered, client, standin):
    listed = client.servers.get_actions(ordered)
    assert [one.command for one in listed] == ["create_server", "start_server"]
    ids = "&".join(f"id={one.id}" for one in listed)
    assert len(standin.call("GET", f"/actions?{ids}").json()["actions"]) == 2


def test_listing_every_action_was_removed_by_the_vendor(standin):
    assert standin.call("GET", "/actions").json()["error"]["code"] == "invalid_input"


def test_a_server_left_off_is_off(client, hosts):
    wish = {"server_type": ServerType(name="cx23"), "image": Image(name="debian-13")}
    created = client.servers.create("off.example.test", **wish, start_after_create=False)
    finish(created.action)
    assert created.next_actions == []
    assert client.servers.get_by_id(created.server.id).status == "off"
    assert not hosts.alive(created.server.id)


def test_addresses_are_shown_with_the_server_they_belong_to(ordered, client):
    address = client.primary_ips.get_by_id(ordered.public_net.primary_ipv4.id)
    assert (address.ip, address.assignee_id) == (ordered.public_net.ipv4.ip, ordered.id)
    assert len(client.primary_ips.get_all()) == 2


def test_two_servers_never_share_an_address(order):
    first, second = order("a.example.test").server, order("b.example.test").server
    assert first.public_net.ipv4.ip != second.public_net.ipv4.ip
    assert first.public_net.ipv6.ip != second.public_net.ipv6.ip


def test_types_places_and_images_can_be_looked_up(client):
    assert client.server_types.get_by_name("cx23").memory == 4
    assert client.locations.get_by_name("hel1").city == "Helsinki"
    assert client.images.get_by_name_and_architecture("debian-13", "x86").os_flavor == "debian"


def test_a_machine_that_ends_by_itself_is_off(ordered, client, hosts, standin: Standin):
    hosts.halt(ordered.id)
    while client.servers.get_by_id(ordered.id).status == "running":
        pass
    assert standin.machines()[0]["state"] == "off"


def test_a_server_is_a_real_process_where_hosts_are_processes(tmp_path):
    hosts = choose("process", tmp_path / "hosts", 8000, on_log=lambda text: None)
    standin = Standin(tmp_path / "home", hosts)
    client = standin.client()
    wish = {"server_type": ServerType(name="cx23"), "image": Image(name="debian-13")}
    created = client.servers.create("alice.example.test", **wish, user_data="#cloud-config\n")
    finish(created.action)
    assert hosts.alive(created.server.id)
    assert [one["kind"] for one in standin.machines()] == ["process"]
    finish(client.servers.delete(created.server))
    assert not hosts.alive(created.server.id)
    assert list((tmp_path / "hosts/processes").iterdir()) == []
    standin.close()
