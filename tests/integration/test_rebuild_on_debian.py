"""A whole server moves between real hosts: mail, passwords, keys and addresses are the same, and the way back is one."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from backups.models import Repository
from clients.errors import Gone
from sandbox.hosts.debian import possible
from servers import rebuilding
from servers.models import Replacement, Server
from tests.agent.mail.mail_host import MailHost
from tests.integration.backup_mail import with_mail
from tests.integration.backup_town import BackupTown
from tests.integration.mail_product import database, product
from tests.integration.mail_town import ALICE, BIRTH, BOB, SoldHost, eventually
from tests.integration.mail_traffic import Traffic

MESSAGES = int(os.environ.get("BACKUP_MESSAGES", 600))
DISK = 6144  # MiB

pytestmark = [pytest.mark.integration, pytest.mark.root]


class MovingTown(BackupTown):
    """Her server moves by the page's own way."""

    def __init__(self, product: Any) -> None:
        super().__init__(product)
        self.fill(ALICE, MESSAGES, seed=1)
        self.fill(BOB, MESSAGES // 10, seed=2)

    @property
    def row(self) -> Replacement:
        return Replacement.objects.filter(server=self.server).latest("pk")

    def move(self) -> None:
        rebuilding.want_rebuild(server=self.server, by=f"user:{self.alice.pk}")

    def over(self) -> Replacement:
        """The move, once it has ended; the host is the one that serves then."""

        def look() -> Replacement | None:
            self.page(f"/servers/{self.server.pk}/rebuild")
            return self.row if self.row.finished_at else None

        row = eventually(
            look, "the end of the move", BIRTH, lambda: self.page(f"/servers/{self.server.pk}/rebuild")
        )
        self.server = Server.objects.get(pk=self.server.pk)
        self.host = SoldHost(self.product, self.server)
        self.mail = MailHost(self.host)
        return row

    def everything(self) -> dict[str, Any]:
        """What must be the same wherever it runs; a mail program signs in with the password that it had."""
        return {
            "mail": {user: with_mail(self.seen(user)) for user in (ALICE, BOB)},
            "secrets": self.secrets_of_mail(),
        }

    def step(self, name: str) -> None:
        eventually(lambda: self.page() and name in self.page(), name, BIRTH, self.page)


@pytest.fixture(scope="module")
def town(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MovingTown]:
    home = tmp_path_factory.mktemp("moving")
    if obstacle := possible.why_not(home):
        pytest.skip(f"skipped: needs root on Linux ({obstacle})")
    with (
        django_db_blocker.unblock(),
        database() as url,
        product(home, url, backups=True, disk=DISK) as running,
    ):
        yield MovingTown(running)


def test_a_move_brings_all_of_it_to_another_machine_at_the_same_address(town: MovingTown) -> None:
    before, first, address = town.everything(), town.server.machine_id, town.server.ipv4
    traffic = Traffic(town.mail, ALICE)
    town.move()
    eventually(lambda: town.row.last_backup, "the closing of mail")
    traffic.end()
    row = town.over()

    assert (row.state, row.why, row.lost_since) == (Replacement.State.DONE, "", None)
    assert row.restored == row.messages
    assert town.server.machine_id != first
    assert town.server.ipv4 == address
    with pytest.raises(Gone):
        town._cloud().get(first)
    after = town.everything()
    town.all_there(traffic)
    assert after["secrets"] == before["secrets"]
    assert after["mail"][BOB] == before["mail"][BOB]
    kept = {folder: set(mails) for folder, mails in before["mail"][ALICE].items()}
    assert all(mails <= set(after["mail"][ALICE][folder]) for folder, mails in kept.items())


def test_the_new_machine_goes_on_with_the_same_backups(town: MovingTown) -> None:
    assert town.mail.write(ALICE, "After the move")[0] == 250
    town.mail.read(ALICE, "After the move")
    before = town.points()
    point = town.back_up()
    assert {one.snapshot for one in before} < {one.snapshot for one in town.points()}
    assert point.messages == sum(len(each) for user in (ALICE, BOB) for each in town.seen(user).values())
    assert Repository.objects.get().handed_to == town.agent.seal_key
    town.well()


def test_its_owner_goes_back_and_the_old_machine_serves_as_before(town: MovingTown) -> None:
    before, first, address = town.everything(), town.server.machine_id, town.server.ipv4
    with town.storage_fault("away"):
        town.move()
        eventually(lambda: town.row.retired_at or town.row.last_backup, "a beginning")
    eventually(lambda: town.page() and town.row.restore, "another machine that restores", BIRTH)
    assert rebuilding.go_back(server=town.server, by=f"user:{town.alice.pk}")
    row = town.over()

    assert row.state == Replacement.State.BACK
    assert (town.server.machine_id, town.server.ipv4) == (first, address)
    assert {one.id for one in town._cloud().machines()} == {first}
    assert town.everything() == before
    assert town.mail.write(ALICE, "Back again")[0] == 250
    town.mail.read(ALICE, "Back again")
    town.well()


def test_a_machine_that_is_gone_comes_back_from_its_newest_point(town: MovingTown) -> None:
    point = town.back_up()
    before = town.everything()
    town.lose_the_host()
    town.move()
    row = town.over()

    assert (row.state, row.point, row.restored) == (Replacement.State.DONE, point.snapshot, point.messages)
    assert row.lost_since is not None
    assert town.everything() == before
    assert town.mail.write(ALICE, "On the third machine")[0] == 250
    town.mail.read(ALICE, "On the third machine")
    town.well()
