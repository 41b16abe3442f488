"""Which image a new server begins with, which are made anew, and which go."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clients.hetzner_cloud import Order, Snapshot
from engine.models import Run
from servers import hetzner, images, tasks
from servers.models import Image, Server
from servers.programs.provision import Provision
from tests.servers.conftest import Vendor, program
from tests.servers.test_provision import order, step

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def snapshot(vendor: Vendor, *, version: str = "", place: str = "fsn1", kind: str = "cx23") -> Snapshot:
    """One that somebody made at Hetzner; it is waited for."""
    cloud = hetzner.cloud()
    wall = cloud.ensure_firewall("mailat-mail", tcp_ports=("25",), labels={})
    name = f"machine-{len(cloud.machines())}"
    machine = cloud.create(Order(name, kind, place, "debian-13", "", wall, {}))
    labels = images.labels(version or images.version())
    made = cloud.snapshot(machine.id, description=name, labels=labels)
    for _ in range(500):
        if cloud.image(made.id).status == "available":
            return made
    raise AssertionError("the snapshot was never available")


def ids() -> list[int]:
    return [one.id for one in hetzner.cloud().snapshots(images.SELECTOR)]


def grow_older(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    later = timezone.now() + by
    monkeypatch.setattr("servers.images.timezone.now", lambda: later)


def test_a_new_server_begins_with_the_newest_of_the_current_version(vendor: Vendor, server: Server):
    snapshot(vendor)
    newest = snapshot(vendor)
    snapshot(vendor, version="0123456789ab")
    images.look()
    before = len(vendor.calls())
    order(server)
    assert hetzner.cloud().get(server.machine_id or 0).image == str(newest.id)
    assert [call for call in vendor.calls()[before:] if "image" in call] == []


def test_without_an_image_a_server_begins_with_the_plain_one(vendor: Vendor, server: Server):
    order(server)
    assert hetzner.cloud().get(server.machine_id or 0).image == "debian-13"


def test_an_image_that_was_deleted_elsewhere_is_no_obstacle(vendor: Vendor, server: Server):
    gone = snapshot(vendor)
    images.look()
    hetzner.cloud().delete_image(gone.id)
    step(server, "make_firewall")
    step(server, "order_machine")
    order(server)
    assert hetzner.cloud().get(server.machine_id or 0).image == "debian-13"
    assert images.newest() is None


def test_an_image_of_a_bigger_disk_is_no_obstacle(vendor: Vendor, server: Server):
    snapshot(vendor, kind="cpx22")
    images.look()
    step(server, "make_firewall")
    step(server, "order_machine")
    order(server)
    assert hetzner.cloud().get(server.machine_id or 0).image == "debian-13"


def test_a_machine_that_never_called_is_not_replaced_by_one_of_the_same_image(vendor: Vendor, server: Server):
    snapshot(vendor)
    images.look()
    order(server)
    step(server, "drop_machine")
    assert program(Provision, server)._image() == "debian-13"


def test_looking_makes_the_rows_say_what_hetzner_says(vendor: Vendor):
    made = snapshot(vendor)
    Image.objects.create(image_id=4711, version=images.version(), made_at=timezone.now())
    images.look()
    assert list(Image.objects.values_list("image_id", flat=True)) == [made.id]


def test_two_of_the_current_version_stay_and_no_other(vendor: Vendor):
    other = snapshot(vendor, version="0123456789ab")
    made = [snapshot(vendor) for _ in range(3)]
    ordered = sorted(made, key=lambda one: (one.made_at, one.id))
    expired = images.expired()
    assert sorted(expired) == sorted([other.id, ordered[0].id])
    for one in expired:
        images.delete(one)
    assert set(ids()) == {one.id for one in ordered[1:]}
    assert images.expired() == []


def test_what_is_too_old_goes_and_is_not_used(vendor: Vendor, monkeypatch: pytest.MonkeyPatch):
    made = snapshot(vendor)
    images.look()
    assert images.newest()
    grow_older(monkeypatch, 14 * DAY)
    assert images.newest() is None
    assert images.expired() == [made.id]


def test_one_that_is_gone_already_is_no_error(vendor: Vendor):
    made = snapshot(vendor)
    images.look()
    hetzner.cloud().delete_image(made.id)
    images.delete(made.id)
    assert not Image.objects.exists()


def begun() -> int:
    return Run.objects.filter(program="BakeImage", finished_at=None).count()


def test_an_image_is_wanted_where_there_is_none_and_only_once(vendor: Vendor, settings: Any):
    tasks.want_image()
    assert begun() == 0
    settings.IMAGE_BAKING = True
    tasks.want_image()
    tasks.want_image()
    assert begun() == 1


def test_where_none_is_to_be_made_one_that_is_there_is_used(vendor: Vendor):
    made = snapshot(vendor)
    tasks.want_image()
    newest = images.newest()
    assert newest is not None
    assert newest.image_id == made.id


def test_a_fresh_one_is_enough_and_an_old_one_is_not(
    vendor: Vendor, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.IMAGE_BAKING = True
    snapshot(vendor)
    tasks.want_image()
    assert begun() == 0
    grow_older(monkeypatch, 7 * DAY)
    assert images.newest()
    tasks.want_image()
    assert begun() == 1


def test_where_hetzner_does_not_answer_the_next_look_will_do(vendor: Vendor, settings: Any):
    settings.IMAGE_BAKING = True
    vendor.fault(kind="server_error", operation="list_images", times=1)
    tasks.want_image()
    assert begun() == 0
