"""On a real host with the real gate and storage: what is backed up comes back as a mail program saw it, whatever happened between."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from backups.models import Point, Stored
from sandbox.hosts.debian import possible
from tests.integration.backup_damage import Damage
from tests.integration.backup_mail import Seen, inside, with_mail
from tests.integration.backup_town import BackupTown
from tests.integration.mail_faults import kill
from tests.integration.mail_product import database, product
from tests.integration.mail_town import ALICE, BOB, eventually
from tests.integration.mail_traffic import Traffic
from vault.models import Secret

MESSAGES = int(os.environ.get("BACKUP_MESSAGES", 3000))  # of Alice; a bench has as many as a customer
DISK = 6144  # MiB
SLOW = 100  # KiB a second: what is new takes half a minute, and the host says every other second what it is doing

pytestmark = [pytest.mark.integration, pytest.mark.root]


@pytest.fixture(scope="module")
def town(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackupTown]:
    home = tmp_path_factory.mktemp("backups")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    with (
        django_db_blocker.unblock(),
        database() as url,
        product(home, url, backups=True, disk=DISK) as running,
    ):
        yield BackupTown(running)


class Kept:
    """Alice's mail as it was at a restore point, and what became of it afterwards."""

    def __init__(self, town: BackupTown) -> None:
        self.town, self.bytes = town, town.fill(ALICE, MESSAGES, seed=1)
        self.seen = town.seen(ALICE)
        self.point = town.back_up()
        self.added = town.told()["last"]["added"]
        self.box = str(town.box(ALICE).pk)

    def restore(self, **more: Any) -> tuple[str, Seen]:
        """The job, and what is in the folder that it made."""
        job = self.town.ended(self.town.ask("restore", point=self.point.snapshot, mailbox=self.box, **more))
        assert job.state == "done", job.why
        return str(job.pk), inside(self.town.seen(ALICE), job.result["folder"])


@pytest.fixture(scope="module")
def kept(town: BackupTown) -> Kept:
    return Kept(town)


def test_the_first_restore_point_comes_by_itself_and_its_password_is_in_the_vault(town: BackupTown) -> None:
    assert town.first.mailboxes >= 2
    repository = town.repository
    assert town.told()["escrowed"]
    assert Secret.objects.get(pk=repository.secret_id).account_id == repository.account_id
    before = Stored.objects.filter(home=town.id).order_by("signed_at").first()
    assert before
    assert Secret.objects.get(pk=repository.secret_id).kept_at < before.signed_at


def test_a_restore_point_has_every_message(kept: Kept) -> None:
    assert kept.point.messages == sum(map(len, kept.seen.values()))
    assert kept.point.bytes >= kept.bytes


@pytest.fixture(scope="module")
def later(kept: Kept) -> Point:
    """Another point after a hundredth of the mail came, went, got other flags or another folder; mail comes in meanwhile."""
    town, few = kept.town, max(1, MESSAGES // 400)

    def work(door: Any) -> None:
        door.select("INBOX")
        door.store(f"1:{few}", "+FLAGS", r"(\Flagged)")
        door.copy(f"{few + 1}:{2 * few}", "Sent")
        door.store(f"{few + 1}:{3 * few}", "+FLAGS", r"(\Deleted)")
        door.expunge()

    town.mail.imap(ALICE, work)
    town.fill(ALICE, few * 4, seed=3)
    traffic = Traffic(town.mail, ALICE)
    point = town.back_up()
    traffic.end()
    town.all_there(traffic)
    return point


def test_a_second_backup_stores_little_more_than_what_changed(kept: Kept, later: Point) -> None:
    assert kept.town.told()["last"]["added"] < 0.05 * kept.added
    assert later.manifest != kept.point.manifest


def test_a_look_says_what_a_point_has_before_anything_is_restored(kept: Kept, later: Point) -> None:
    boxes = kept.town.done("look", point=kept.point.snapshot)["mailboxes"]
    (hers,) = [box for box in boxes if box["id"] == kept.box]
    assert (hers["address"], hers["messages"]) == (ALICE, kept.point.messages)
    folders = kept.town.done("look", point=kept.point.snapshot, mailbox=kept.box)["folders"]
    counts = {one["folder"].strip(".").replace(".", "/") or "INBOX": one["messages"] for one in folders}
    assert counts == {name: len(messages) for name, messages in kept.seen.items()}


def test_a_deleted_folder_comes_back_beside_what_is_there_and_goes_again(kept: Kept, later: Point) -> None:
    town = kept.town
    town.mail.imap(ALICE, lambda door: (door.delete("Archive/2019"), door.delete("Archive")))
    before = town.seen(ALICE)
    assert not before.get("Archive")

    job, restored = kept.restore(folder=".Archive")
    assert restored == {"Archive": kept.seen["Archive"]}

    assert town.done("restore", undo=job) == {"folders": 1}
    assert with_mail(town.seen(ALICE)) == with_mail(before)


def test_a_whole_mailbox_comes_back_as_it_was(kept: Kept, later: Point) -> None:
    job, restored = kept.restore()
    assert restored == with_mail(kept.seen)
    kept.town.done("restore", undo=job)


def test_a_drill_restores_everything_and_says_how_long_it_took(kept: Kept, later: Point) -> None:
    found = kept.town.done("drill", point=kept.point.snapshot)
    assert (found["messages"], found["differ"]) == (kept.point.messages, [])
    assert found["seconds"] > 0


@pytest.fixture(scope="module")
def damage(kept: Kept) -> Damage:
    """Bob's mail is in a pack of its own."""
    return Damage(kept.town, BOB, seed=2)


@pytest.mark.parametrize("how", ["corrupt", "truncate", "delete", "swap"])
def test_a_drill_fails_and_names_the_mailbox_whose_object_is_not_what_it_was(
    damage: Damage, how: str
) -> None:
    with damage.done(how):
        job = damage.town.failed("drill", point=damage.point.snapshot)
    assert job.why.startswith(f"{BOB}, folder "), job.why
    assert {one["address"] for one in job.result["differ"] if "address" in one} == {BOB}


def test_a_storage_that_is_away_in_the_middle_of_a_backup_only_makes_it_longer(kept: Kept) -> None:
    town = kept.town
    town.fill(ALICE, MESSAGES // 10, seed=4)
    with town.storage_fault("drip", "put", number=SLOW):
        job = town.ask("backup")
        town.doing("copy")
        with town.storage_fault("away"):
            time.sleep(5)
    is_whole(town, town.ended(job))


def test_a_gate_that_is_killed_again_and_again_only_makes_it_longer(kept: Kept) -> None:
    town = kept.town
    town.fill(ALICE, MESSAGES // 10, seed=5)
    with town.storage_fault("drip", "put", number=SLOW):
        job = town.ask("backup")
        town.doing("copy")
        for _ in range(3):
            town.product.process("gate").kill()
            time.sleep(1)
    is_whole(town, town.ended(job))


def test_an_agent_that_is_killed_during_a_backup_makes_the_next_one_right(kept: Kept) -> None:
    town = kept.town
    town.fill(ALICE, MESSAGES // 10, seed=6)
    with town.storage_fault("drip", "put", number=SLOW):
        job = town.ask("backup")
        town.doing("copy")
        eventually(town.locks, "a lock")
        kill(town.host, "mailat-agent.service")
    is_whole(town, town.ended(job))


def is_whole(town: BackupTown, job: Any) -> None:
    """The backup has everything, and holds nobody up."""
    assert job.state == "done", job.why
    assert town.locks() == []
    there = sum(len(each) for user in (ALICE, BOB) for each in town.seen(user).values())
    assert town.points()[-1].messages == there


def test_an_agent_that_is_killed_while_it_prunes_loses_nothing(kept: Kept) -> None:
    """A week later than what was stored: all points but the newest are over."""
    town = kept.town
    town.back_up()
    with town.days_later(8):
        with town.storage_fault("slow", number=1.0):  # a few objects, and the host speaks every other second
            town.ask("prune")
            town.doing("prune")
            kill(town.host, "mailat-agent.service")
        town.done("prune")
    assert not Stored.objects.filter(home=town.id, kind="snapshots", name=kept.point.snapshot, state="stored")
    assert town.locks() == []
    assert town.done("drill")["differ"] == []


def test_on_other_hardware_everything_is_as_it_was(kept: Kept, damage: Damage) -> None:
    town = kept.town
    point = town.back_up()
    seen = {user: town.seen(user) for user in (ALICE, BOB)}
    secrets = town.secrets_of_mail()
    assert "dkim/firm.test.key" in secrets

    town.lose_the_host()
    town.on_new_hardware(point)

    assert {user: town.seen(user) for user in (ALICE, BOB)} == seen
    assert town.secrets_of_mail() == secrets
    assert town.mail.write(ALICE, "She has the same address")[0] == 250
    town.mail.read(ALICE, "She has the same address")
    assert town.back_up().messages == point.messages + 1
