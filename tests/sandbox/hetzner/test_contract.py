"""Every operation's answer, held against the vendor's own description of its API."""

import re

import jsonschema
import pytest
from hcloud.server_types import ServerType

from sandbox.hetzner.api import OPERATIONS
from tests.sandbox.hetzner.conftest import finish
from tests.sandbox.hetzner.contract import CHANGED_SINCE, PLACES, contract

pytestmark = pytest.mark.skipif(
    contract() is None,
    reason=f"the vendor's description is not at hand: neither HCLOUD_OPENAPI nor {PLACES[0]} beside the project",
)


def test_every_operation_answers_as_described(standin, client, ordered):
    wall = client.firewalls.create("mail").firewall
    address = ordered.public_net.primary_ipv4.id
    for path in ("/servers", "/firewalls", "/server_types", "/locations", "/images", "/primary_ips"):
        assert standin.call("GET", path).status_code == 200
    for path in ("/server_types/114", "/locations/1", "/images/310557660", f"/primary_ips/{address}"):
        assert standin.call("GET", path).status_code == 200
    assert standin.call("GET", f"/firewalls/{wall.id}").status_code == 200
    client.servers.update(ordered, name="new.example.test")
    finish(client.servers.change_dns_ptr(ordered, ordered.public_net.ipv4.ip, "mail.example.test"))
    action = client.servers.get_actions(ordered)[0]
    assert standin.call("GET", f"/actions?id={action.id}").status_code == 200
    client.servers.get_by_id(ordered.id)
    finish(client.servers.shutdown(ordered))
    finish(client.servers.power_on(ordered))
    finish(client.servers.power_off(ordered))
    finish(client.servers.change_type(ordered, ServerType(name="cx33"), upgrade_disk=True))
    finish(client.servers.power_off(ordered))
    finish(client.primary_ips.unassign(ordered.public_net.primary_ipv4))
    finish(client.primary_ips.assign(ordered.public_net.primary_ipv4, ordered.id, "server"))
    finish(client.primary_ips.unassign(ordered.public_net.primary_ipv6))
    client.primary_ips.update(ordered.public_net.primary_ipv6, auto_delete=False, labels={"a": "b"})
    assert standin.call("GET", "/primary_ips").json()["primary_ips"][1]["assignee_type"] == "unassigned"
    client.primary_ips.delete(ordered.public_net.primary_ipv6)
    made = client.servers.create_image(ordered, description="mail", labels={"image": "mail"})
    finish(made.action)
    client.images.update(made.image, description="the mail server")
    assert standin.call("GET", f"/images/{made.image.id}").status_code == 200
    client.images.delete(made.image)
    client.firewalls.delete(wall)
    finish(client.servers.delete(ordered))
    described = {(method, re.sub(r"<.*?>", "{id}", path)) for method, path in OPERATIONS.values()}
    assert {(method, path) for method, path, status in standin.contract.judged if status < 300} == described


def test_the_judge_refuses_a_missing_an_unknown_and_a_wrong_field(standin, ordered):
    good = standin.call("GET", f"/servers/{ordered.id}").json()["server"]
    for change in ({"datacenter": {}}, {"status": "dancing"}, {"id": "1"}, {"image": 3}):
        with pytest.raises(jsonschema.ValidationError):
            _judge(standin, {**good, **change})
    with pytest.raises(jsonschema.ValidationError):
        _judge(standin, {name: value for name, value in good.items() if name != "created"})
    _judge(standin, {**good, "image": None})


def _judge(standin, server):
    import json

    standin.contract.judge("GET", "/servers/{id}", 200, json.dumps({"server": server}).encode())


def test_every_difference_in_the_table_is_one():
    """A newer description may have caught up: then its line must leave the table."""
    from tests.sandbox.hetzner.contract import _description

    schemas = _description()["components"]["schemas"]
    for place, verb, field in CHANGED_SINCE:
        name, _, inner = place.partition(".")
        schema = schemas[name]["properties"][inner] if inner else schemas[name]
        known = schema.get("items", schema)["properties"]
        if verb == "allow":
            name, _, value = field.partition("=")
            assert value not in known[name]["enum"]
            continue
        assert (field in known) == (verb == "drop"), (place, verb, field)
