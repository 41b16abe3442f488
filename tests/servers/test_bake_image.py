"""From a plain machine to an image, step by step, whatever Hetzner does."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from clients.errors import TryLater
from engine import actions as engine
from engine.models import Alarm, Run
from engine.program import Done, Hop, Nap
from servers import hetzner, images, reaper
from servers.models import Image
from servers.programs.bake_image import LOOK_EVERY, OFF_WITHIN, SOLD_OUT_NAP, STARTED, BakeImage
from servers.userdata import INSTALLER, LIMIT, baking_data
from tests.servers.conftest import Vendor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _begun(vendor: Vendor) -> None:
    engine.start(BakeImage, subject=images.subject())


def step(name: str, *, waited: timedelta = timedelta()) -> Any:
    """Takes one step of the live run, as a worker would who finds it there since a while."""
    run = Run.objects.get(program="BakeImage", finished_at=None)
    run.step, run.step_since = name, timezone.now() - waited
    outcome = getattr(BakeImage(run), name)()
    run.save()
    return outcome


def order() -> None:
    assert step("begin") == Hop("make_firewall")
    assert step("make_firewall") == Hop("order_machine")
    assert step("order_machine") == Hop("wait_off")


def turn_off(vendor: Vendor) -> int:
    (machine,) = vendor.machines()
    vendor._call("POST", f"machines/{machine['id']}/power", {"on": False})
    return int(machine["id"])


def bake(vendor: Vendor) -> Image:
    """One image, undisturbed."""
    order()
    turn_off(vendor)
    assert step("wait_off", waited=STARTED) == Hop("snapshot")
    assert step("snapshot") == Hop("wait_snapshot")
    wait_until_made()
    assert step("remove_machine") == Nap(LOOK_EVERY)
    assert step("remove_machine") == Hop("choose_old")
    assert step("choose_old") == Hop("remove_old")
    assert step("remove_old") == Done("made")
    return Image.objects.latest("image_id")


def wait_until_made() -> None:
    for _ in range(500):
        if step("wait_snapshot") == Hop("remove_machine"):
            return
    raise AssertionError("the snapshot was never available")


def test_a_machine_becomes_an_image_and_is_gone(vendor: Vendor):
    image = bake(vendor)
    assert (image.version, images.newest()) == (images.version(), image)
    (snapshot,) = hetzner.cloud().snapshots("managed-by=mailat,image=mail")
    assert (snapshot.id, snapshot.labels["version"]) == (image.image_id, images.version())
    assert vendor.machines() == []
    recorded = [event.action for event in Event.objects.filter(subject=images.subject()).order_by("pk")]
    assert recorded == ["image.machine_ordered", "image.made"]


def test_its_user_data_hold_nothing_but_the_installer():
    head, _, told = baking_data().partition("\n")
    config = json.loads(told)
    files = {file["path"]: file["content"] for file in config["write_files"]}
    assert head == "#cloud-config"
    assert files == {
        "/etc/mailat/bake": "",
        "/usr/local/sbin/mailat-install": INSTALLER.read_text(),
    }
    assert config["runcmd"] == [["/usr/local/sbin/mailat-install"]]
    assert len(baking_data().encode()) < LIMIT


def test_a_machine_that_is_still_installing_is_waited_for(vendor: Vendor):
    order()
    assert step("wait_off", waited=OFF_WITHIN - timedelta(seconds=5)) == Nap(LOOK_EVERY)


def test_a_machine_that_is_not_on_yet_is_not_taken_for_one_that_has_finished(vendor: Vendor):
    order()
    turn_off(vendor)
    assert step("wait_off") == Nap(LOOK_EVERY)
    assert step("wait_off", waited=STARTED) == Hop("snapshot")


def test_a_machine_that_never_turns_off_is_deleted_and_another_is_tried_later(vendor: Vendor):
    order()
    assert step("wait_off", waited=OFF_WITHIN) == Hop("drop_machine")
    alarm = Alarm.objects.get(closed_at=None)
    assert "did not turn itself off" in alarm.says
    assert step("drop_machine") == Nap(LOOK_EVERY)
    assert step("drop_machine") == Hop("wait_before_another")
    assert vendor.machines() == []
    assert isinstance(step("wait_before_another"), Nap)
    assert step("wait_before_another", waited=timedelta(hours=1)) == Hop("begin")
    bake(vendor)
    alarm.refresh_from_db()
    assert alarm.closed_at is not None


@pytest.mark.parametrize(
    ("name", "operation"), [("order_machine", "create_server"), ("snapshot", "create_image")]
)
def test_a_lost_answer_makes_nothing_twice(vendor: Vendor, name: str, operation: str):
    for each in ("begin", "make_firewall") if name == "order_machine" else ():
        step(each)
    if name == "snapshot":
        order()
        turn_off(vendor)
    vendor.fault(kind="lose_answer", operation=operation, times=1)
    with pytest.raises(TryLater):
        step(name)
    assert isinstance(step(name), Hop)
    assert len(vendor.machines()) == 1
    assert len(hetzner.cloud().snapshots(images.SELECTOR)) == (name == "snapshot")


def test_a_machine_whose_making_failed_is_no_end(vendor: Vendor):
    vendor.fault(kind="fail_action", operation="create_server", times=1)
    order()
    for _ in range(500):
        if not vendor.machines():
            break
    assert step("wait_off") == Hop("drop_machine")
    assert step("drop_machine") == Hop("wait_before_another")


def test_a_snapshot_that_could_not_be_made_is_an_alarm(vendor: Vendor):
    order()
    turn_off(vendor)
    vendor.fault(kind="fail_action", operation="create_image", times=1)
    step("snapshot")
    for _ in range(500):
        if step("wait_snapshot") == Hop("drop_machine"):
            break
    assert "could not be copied" in Alarm.objects.get(closed_at=None).says


def test_where_one_place_is_sold_out_another_is_taken(vendor: Vendor):
    vendor.fault(kind="out_of_stock", location="fsn1", times=None)
    step("begin")
    step("make_firewall")
    assert step("order_machine") == Nap(0)
    assert step("order_machine") == Hop("wait_off")
    assert hetzner.cloud().machines()[0].place == "nbg1"


def test_where_nothing_is_to_be_had_we_wait(vendor: Vendor):
    vendor.fault(kind="out_of_stock", times=None)
    step("begin")
    step("make_firewall")
    outcomes = [step("order_machine") for _ in range(7)]
    assert outcomes == [Nap(0)] * 6 + [Nap(SOLD_OUT_NAP)]
    vendor.mend()
    assert step("order_machine") == Hop("wait_off")


def test_a_release_does_not_make_the_image_of_another(vendor: Vendor):
    Run.objects.update(subject="image:0123456789ab")
    step("begin")
    step("make_firewall")
    assert step("order_machine") == Done("another version is wanted")
    assert vendor.machines() == []


def test_what_another_release_began_keeps_its_version(vendor: Vendor):
    order()
    turn_off(vendor)
    Run.objects.update(subject="image:0123456789ab")
    step("snapshot")
    wait_until_made()
    assert Image.objects.get().version == "0123456789ab"
    assert images.newest() is None


def test_a_machine_that_becomes_an_image_is_no_stranger(vendor: Vendor):
    order()
    reaper.reap()
    assert not Alarm.objects.exists()
    Run.objects.update(finished_at=timezone.now(), due_at=None)
    reaper.reap()
    assert Alarm.objects.filter(key__startswith="reap:machine:").count() == 1
