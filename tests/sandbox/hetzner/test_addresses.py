"""Addresses that outlive their server, as the vendor's own client sees them."""

import hcloud
import pytest
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType
from hcloud.servers.domain import ServerCreatePublicNetwork

from sandbox.hetzner.store import Store
from tests.sandbox.hetzner.conftest import finish


def refused(work) -> str:
    with pytest.raises(hcloud.APIException) as refusal:
        work()
    return str(refusal.value.code)


def kept(client, server):
    """Both addresses of a server, which is off, taken from it and told to stay."""
    finish(client.servers.power_off(server))
    both = [server.public_net.primary_ipv4, server.public_net.primary_ipv6]
    for one in both:
        client.primary_ips.update(one, auto_delete=False)
        finish(client.primary_ips.unassign(one))
    return both


def again(client, name, both, place="fsn1"):
    wish = {"server_type": ServerType(name="cx23"), "image": Image(name="debian-13")}
    net = ServerCreatePublicNetwork(ipv4=both[0], ipv6=both[1])
    made = client.servers.create(name, **wish, location=Location(name=place), public_net=net)
    finish(made.action, *made.next_actions)
    return client.servers.get_by_id(made.server.id)


def test_addresses_go_with_their_server(ordered, client):
    finish(client.servers.delete(ordered))
    assert client.primary_ips.get_all() == []


def test_an_address_that_is_told_to_stay_stays_with_its_names(ordered, client):
    ip = ordered.public_net.ipv4.ip
    finish(client.servers.change_dns_ptr(ordered, ip, "mail.example.test"))
    client.primary_ips.update(ordered.public_net.primary_ipv4, auto_delete=False)
    finish(client.servers.delete(ordered))
    (address,) = client.primary_ips.get_all()
    assert (address.ip, address.assignee_id, address.assignee_type) == (ip, None, "unassigned")
    assert address.dns_ptr == [{"ip": ip, "dns_ptr": "mail.example.test"}]


def test_another_server_gets_the_addresses_of_the_first(ordered, client):
    was = (ordered.public_net.ipv4.ip, ordered.public_net.ipv6.ip)
    second = again(client, "second.example.test", kept(client, ordered))
    assert (second.public_net.ipv4.ip, second.public_net.ipv6.ip) == was
    first = client.servers.get_by_id(ordered.id)
    assert (first.public_net.ipv4, first.public_net.ipv6) == (None, None)


def test_only_servers_that_are_off_give_and_take_addresses(ordered, order, client):
    address = ordered.public_net.primary_ipv4
    assert refused(lambda: client.primary_ips.unassign(address)) == "server_not_stopped"
    both = kept(client, ordered)
    other = order("other.example.test")
    finish(other.action, *other.next_actions)
    assert (
        refused(lambda: client.primary_ips.assign(both[0], other.server.id, "server")) == "server_not_stopped"
    )


def test_a_server_has_one_address_of_a_kind(ordered, order, client):
    other = order("other.example.test")
    finish(other.action, *other.next_actions)
    finish(client.servers.power_off(other.server))
    assert (
        refused(lambda: client.primary_ips.assign(ordered.public_net.primary_ipv4, other.server.id, "server"))
        == "primary_ip_already_assigned"
    )
    both = kept(client, ordered)
    assert refused(lambda: client.primary_ips.assign(both[0], other.server.id, "server")) == "server_has_ipv4"


def test_an_address_comes_back_to_the_server_that_had_it(ordered, client):
    both = kept(client, ordered)
    assert refused(lambda: client.servers.power_on(ordered)) == "invalid_input"
    for one in both:
        finish(client.primary_ips.assign(one, ordered.id, "server"))
    finish(client.servers.power_on(ordered))
    assert client.servers.get_by_id(ordered.id).public_net.ipv4.ip == ordered.public_net.ipv4.ip


def test_an_address_that_is_in_use_cannot_be_ordered_nor_one_elsewhere(ordered, client):
    both = [ordered.public_net.primary_ipv4, ordered.public_net.primary_ipv6]
    assert refused(lambda: again(client, "b.example.test", both)) == "primary_ip_assigned"
    both = kept(client, ordered)
    assert refused(lambda: again(client, "b.example.test", both, "nbg1")) == "primary_ip_datacenter_mismatch"
    assert refused(lambda: again(client, "b.example.test", both[::-1])) == "primary_ip_version_mismatch"


def test_an_address_is_removed_only_when_no_server_has_it(ordered, client):
    assert refused(lambda: client.primary_ips.delete(ordered.public_net.primary_ipv4)) == "must_be_unassigned"
    both = kept(client, ordered)
    client.primary_ips.delete(both[0])
    assert refused(lambda: client.primary_ips.get_by_id(both[0].id)) == "not_found"


def test_an_address_that_is_kept_is_given_to_no_other_server(ordered, order, client):
    both = kept(client, ordered)
    finish(client.servers.delete(ordered))
    assert order("other.example.test").server.public_net.ipv4.ip != both[0].ip


def test_a_memory_of_before_addresses_had_rows_gets_them(tmp_path):
    store = Store(tmp_path)
    with store.writing() as db:
        db.execute(
            "insert into servers (name, labels, type, location, image, ipv4, ipv6, dns_ptr, firewalls, status, created)"
            " values ('a', '{}', 'cx23', 'fsn1', 1, '198.18.0.10', '2001:db8::/64', '{}', '[]', 'running', 'now')"
        )
    for _ in range(2):
        with Store(tmp_path).reading() as db:
            rows = db.execute("select kind, ip, auto_delete from addresses order by kind").fetchall()
        assert [tuple(row) for row in rows] == [("ipv4", "198.18.0.10", 1), ("ipv6", "2001:db8::/64", 1)]
