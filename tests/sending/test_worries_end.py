"""A worry ends with what it is about, is told by one of several workers, and by none that dies before its end."""

from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Letter, User
from audit.models import Event
from domains.models import Domain
from engine.models import Run
from sending import actions, worries
from sending.models import Credentials, Standing, Worry
from servers.models import Server
from tests.sandbox.aws.place import REGION, Place
from tests.sending.conftest import BY, due_now, fresh, paste
from tests.sending.watching import Watched


@pytest.fixture
def watched(amazon: Place, firm: Domain) -> Watched:
    return Watched(amazon, firm)


def test_the_end_of_sending_ends_every_worry_without_a_word(watched: Watched, firm: Domain) -> None:
    watched.is_now("paused")
    watched.look()
    actions.remove(home=firm.home, by=BY)
    due_now()
    assert (watched.open, watched.letters) == ([], ["sending_trouble"])


def test_a_server_that_is_gone_ends_every_worry_without_a_word(watched: Watched, server: Server) -> None:
    watched.is_now("paused")
    watched.look()
    Server.objects.filter(pk=server.pk).update(gone_at=timezone.now())
    due_now()
    assert (watched.open, watched.letters) == ([], ["sending_trouble"])
    assert not Standing.objects.exists()


def test_a_look_that_was_under_way_while_the_key_was_taken_away_tells_nothing(
    watched: Watched, firm: Domain
) -> None:
    row = watched.row
    actions.remove(home=firm.home, by=BY)
    Standing.objects.create(home=firm.home, account=firm.account, region=REGION, read_at=timezone.now())
    worries.look(row, answered=True)
    due_now()
    assert not Worry.objects.exists()
    assert not Standing.objects.exists()


def test_a_worker_that_dies_before_the_end_of_its_look_has_told_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise SystemExit("killed")

    watched.is_now("paused")
    with monkeypatch.context() as patch:
        patch.setattr("engine.lease.settle", die)
        with pytest.raises(SystemExit):
            watched.try_to_look()
    assert not Worry.objects.exists()
    assert watched.letters == []
    Run.objects.update(held=False)
    watched.look()
    assert (watched.open, watched.letters) == (["paused"], ["sending_trouble"])


def test_only_owners_are_written_to(watched: Watched, bob: User, charlie: User) -> None:
    watched.is_now("paused")
    watched.look()
    assert list(Letter.objects.filter(kind="sending_trouble").values_list("to", flat=True)) == [
        "alice@example.test"
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_looks_at_once_one_tells(amazon: Place, firm: Domain) -> None:
    row = _in_use(firm)

    def look() -> None:
        worries.look(row, answered=True)
        connection.close()

    threads = [Thread(target=look) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Worry.objects.filter(code="paused").count() == 1
    assert Letter.objects.filter(kind="sending_trouble").count() == 1
    assert Event.objects.filter(action="sending.trouble_began").count() == 1


def _in_use(firm: Domain) -> Credentials:
    row = paste(firm, {"access_key": "AKIA" + "A" * 16, "secret": "s" * 40})
    Credentials.objects.filter(pk=row.pk).update(state="in_use")
    Standing.objects.update_or_create(
        home=firm.home,
        defaults={
            "account": firm.account,
            "region": REGION,
            "enforcement": "SHUTDOWN",
            "read_at": timezone.now(),
        },
    )
    return fresh(row)
