"""Snapshots: made of a server, shown, used for others, deleted."""

import json
import pathlib

import pytest
import requests
from hcloud import APIException
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType

from sandbox.hosts import choose
from sandbox.hosts.none import NoHosts
from tests.sandbox.hetzner.conftest import Standin, finish

LABELS = {"managed-by": "mailat", "image": "mail"}


class Copying(NoHosts):
    """Hosts without disks that tell what they were asked to copy and to begin with."""

    def __init__(self) -> None:
        super().__init__("for tests")
        self.copied: list[int] = []
        self.forgotten: list[int] = []
        self.begun_with: dict[str, int | None] = {}
        self.left: dict[str, dict] = {}
        self.broken = False

    def boot(self, machine_id, name, ipv4, user_data, image=None):
        self.begun_with[name] = image
        super().boot(machine_id, name, ipv4, user_data)

    def snapshot(self, machine_id, image, about):
        if self.broken:
            raise OSError("the disk is full")
        self.copied.append(machine_id)
        return 3 * 1024**3

    def forget_image(self, image):
        self.forgotten.append(image)

    def remembered(self):
        return self.left

    def adopt(self, key, image):
        return key in self.left


@pytest.fixture
def hosts():
    return Copying()


@pytest.fixture
def made(client, ordered):
    """A snapshot of a server that is off."""
    finish(client.servers.power_off(ordered))
    answer = client.servers.create_image(ordered, description="mail 1", labels=LABELS)
    finish(answer.action)
    return client.images.get_by_id(answer.image.id)


def snapshots(client, **filters):
    return client.images.get_all(type="snapshot", **filters)


def test_a_snapshot_is_being_made_and_then_available(client, ordered, hosts, made):
    assert (made.status, made.type, made.name, made.image_size) == ("available", "snapshot", None, 3.0)
    assert (made.description, made.labels, made.disk_size) == ("mail 1", LABELS, 40)
    assert made.created_from.name == "alice.example.test"
    assert hosts.copied == [ordered.id]
    assert [one.id for one in snapshots(client, label_selector="image=mail")] == [made.id]
    assert snapshots(client, label_selector="image=other") == []


@pytest.mark.parametrize(("status", "count"), [("available", 1), ("creating", 0), ("unavailable", 0)])
def test_images_of_a_status(standin, made, status, count):
    """Not by the library, which sends the number of a page's items in the place of the status."""
    answer = standin.call("GET", f"/images?type=snapshot&status={status}")
    assert len(answer.json()["images"]) == count


def test_a_server_begins_with_a_snapshot_and_outlives_it(client, hosts, made):
    created = client.servers.create(
        "bob.example.test", ServerType(name="cpx22"), Image(id=made.id), location=Location(name="nbg1")
    )
    finish(created.action, *created.next_actions)
    assert hosts.begun_with == {"alice.example.test": None, "bob.example.test": made.id}
    assert client.servers.get_by_id(created.server.id).image.id == made.id
    client.images.delete(made)
    assert hosts.forgotten == [made.id]
    assert client.servers.get_by_id(created.server.id).image is None
    with pytest.raises(APIException) as refused:
        client.servers.create("carl.example.test", ServerType(name="cpx22"), Image(id=made.id))
    assert refused.value.code == "invalid_input"


def test_a_disk_too_small_and_another_architecture_are_refused(client, order, hosts):
    big = order("big.example.test", server_type="cpx22")
    finish(big.action, *big.next_actions)
    answer = client.servers.create_image(big.server)
    finish(answer.action)
    for kind, says in (("cx23", "bigger"), ("cax21", "architecture")):
        with pytest.raises(APIException, match=says) as refused:
            client.servers.create("small.example.test", ServerType(name=kind), Image(id=answer.image.id))
        assert refused.value.code == "invalid_input"


def test_nothing_else_is_done_to_a_server_while_its_disk_is_copied(standin, client, ordered):
    with standin.machines_at_rest(ordered.id):
        answer = client.servers.create_image(ordered)
        assert client.images.get_by_id(answer.image.id).status == "creating"
        for act in (client.servers.delete, client.servers.power_on, client.servers.create_image):
            with pytest.raises(APIException) as refused:
                act(ordered)
            assert refused.value.code == "locked"
        with pytest.raises(APIException, match="being made"):
            client.images.delete(answer.image)
        with pytest.raises(APIException, match="not available"):
            client.servers.create("bob.example.test", ServerType(name="cx23"), Image(id=answer.image.id))
    finish(answer.action)
    finish(client.servers.delete(ordered))


@pytest.mark.parametrize("by", ["a full disk", "the vendor"])
def test_a_snapshot_that_fails_vanishes(standin, client, ordered, hosts, by):
    if by == "the vendor":
        standin.fault("fail_action", operation="create_image")
    hosts.broken = by == "a full disk"
    answer = client.servers.create_image(ordered)
    with pytest.raises(Exception, match="Action failed"):
        finish(answer.action)
    assert snapshots(client) == []


def test_a_lost_answer_leaves_a_snapshot_that_is_found_by_its_labels(standin, client, ordered):
    standin.fault("lose_answer", operation="create_image")
    with pytest.raises(Exception, match=r"aborted|Remote|reset|Expecting"):
        client.servers.create_image(ordered, labels=LABELS)
    assert len(snapshots(client, label_selector="image=mail")) == 1


def test_the_vendors_own_images_are_not_ours_to_change(client):
    debian = client.images.get_by_name_and_architecture("debian-13", "x86")
    for act in (client.images.delete, lambda image: client.images.update(image, description="mine")):
        with pytest.raises(APIException) as refused:
            act(debian)
        assert refused.value.code == "forbidden"


def test_labels_and_description_change(client, made):
    changed = client.images.update(made, description="mail 2", labels={"image": "old"})
    assert (changed.description, changed.labels) == ("mail 2", {"image": "old"})
    assert snapshots(client, label_selector="image=mail") == []


def test_backups_are_not_to_be_had(client, ordered):
    with pytest.raises(APIException, match="backups"):
        client.servers.create_image(ordered, type="backup")


def test_power_by_the_api(client, ordered, hosts):
    for act, status in (
        (client.servers.shutdown, "off"),
        (client.servers.power_on, "running"),
        (client.servers.power_off, "off"),
    ):
        finish(act(ordered))
        wait_for(lambda: client.servers.get_by_id(ordered.id).status, status)
        assert hosts.alive(ordered.id) == (status == "running")


def wait_for(seen, wanted):
    import time

    for _ in range(600):
        if seen() == wanted:
            return
        time.sleep(0.02)
    raise AssertionError(f"it is {seen()} and never became {wanted}")


def test_what_an_earlier_sandbox_left_stands_in_the_project_once(tmp_path):
    about = {
        "description": "mail 1", "labels": LABELS, "server": 42000001, "server_name": "mailat-image-1",
        "architecture": "x86", "disk_size": 40, "created": "2026-11-20T03:00:00+00:00",
    }  # fmt: skip
    deleted = []
    for _ in range(3):
        hosts = Copying()
        hosts.left = {"trixie-1": json.loads(json.dumps(about))}
        standin = Standin(tmp_path / "home", hosts)
        client = standin.client()
        found = snapshots(client, label_selector="image=mail")
        for one in found:
            assert one.created.isoformat() == about["created"]
            client.images.delete(one)
            deleted.append(one.id)
        standin.close()
    assert len(deleted) == 1


def test_the_page_shows_snapshots_and_what_a_machine_began_with(standin, client, made):
    client.servers.create(
        "bob.example.test", ServerType(name="cx23"), Image(id=made.id), location=Location(name="fsn1")
    )
    page = requests.get(standin.sandbox, timeout=10).text
    assert "mail 1" in page
    assert f"snapshot {made.id}" in page
    assert "debian-13" in page
    (shown,) = requests.get(f"{standin.sandbox}/images", timeout=10).json()["images"]
    assert (shown["id"], shown["from"], shown["labels"]) == (made.id, "here", LABELS)


def test_a_snapshot_under_way_is_finished_by_the_next_sandbox(tmp_path: pathlib.Path):
    hosts = Copying()
    standin = Standin(tmp_path / "home", hosts)
    client = standin.client()
    server = client.servers.create("alice.example.test", ServerType(name="cx23"), Image(name="debian-13"))
    finish(server.action)
    with standin.machines_at_rest(server.server.id):
        image = client.servers.create_image(server.server).image
        hosts.close()
    standin.close()
    after = Standin(tmp_path / "home", choose("none", tmp_path / "hosts", 8000))
    wait_for(lambda: after.client().images.get_by_id(image.id).status, "available")
    after.close()
