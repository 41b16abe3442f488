"""What leaves the bucket, and what never came; killed at any line it goes on, and nothing is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backups import tasks, trash
from backups.models import Stored
from clients.errors import TryLater
from clients.object_storage import Storage
from engine import prepared
from engine.models import Alarm
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from tests.backups.conftest import Host, in_bucket, in_rows, make_older, put

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Killed(BaseException):
    """The process ends here."""


def in_trash(host: Host, many: int = 5) -> list[dict[str, Any]]:
    names = [host.write("data", f"pack {n}") for n in range(many)]
    host.told("remove", *names)
    make_older(DAY + HOUR)
    return names


def killed_at(
    monkeypatch: pytest.MonkeyPatch, statement: int, work: Callable[[], object], *, before: bool
) -> None:
    """Ends at the given statement, before or after Postgres carried it out."""
    done = 0

    def dying(usual: Callable[..., Any]) -> Callable[..., Any]:
        def run(*what: Any) -> Any:
            nonlocal done
            done += 1
            if before and done == statement:
                raise Killed
            result = usual(*what)
            if done == statement:
                raise Killed
            return result

        return run

    with monkeypatch.context() as patch:
        patch.setattr(trash.prepared, "run", dying(prepared.run))
        patch.setattr(trash.prepared, "changed", dying(prepared.changed))
        with pytest.raises(Killed):
            work()


@pytest.mark.parametrize("statement", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_a_worker_killed_while_it_empties_the_trash_leaves_work_and_no_lie(
    host: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch, statement: int, before: bool
):
    stays = host.write("data", "in use")
    in_trash(host)
    killed_at(monkeypatch, statement, trash.empty, before=before)
    assert in_bucket(storage) <= in_rows()
    make_older(timedelta(minutes=6), state="leaving")
    trash.empty()
    assert in_bucket(storage) == in_rows() == {f"{host.server.pk}/data/{stays['name']}"}


def test_what_is_being_removed_is_neither_read_nor_written_until_its_name_is_free(
    host: Host, s3: S3Server, storage: Storage
):
    (name,) = in_trash(host, 1)
    s3.state.add(Fault("slow_down", "delete"))
    with pytest.raises(TryLater):
        trash.empty()
    assert Stored.objects.get().state == "leaving"
    assert host.told("read", name)[0]["gone"] is True
    wish = host.wish("data", b"pack 0")
    assert host.told("write", wish)[0]["refused"] == "later"
    assert trash.empty() == 0, "an earlier deletion may be under way yet"
    make_older(timedelta(minutes=6))
    assert trash.empty() == 1
    (given,) = host.told("write", wish)
    assert put(given, b"pack 0") == 200
    assert host.told("wrote", name)[0]["there"] is True
    assert len(in_bucket(storage)) == 1


def test_an_answer_of_the_storage_that_is_lost_is_asked_for_again(host: Host, s3: S3Server, storage: Storage):
    in_trash(host)
    s3.state.add(Fault("lose_answer", "delete"))
    tasks.empty_trash()
    assert Alarm.objects.get(closed_at=None).key == tasks.AWAY
    make_older(timedelta(minutes=6), state="leaving")
    tasks.empty_trash()
    assert not Alarm.objects.filter(closed_at=None).exists()
    assert in_bucket(storage) == in_rows() == set()


def test_what_was_written_and_never_told_is_found(host: Host, storage: Storage):
    host.write("snapshots", "a silent one", tell=False)
    assert trash.settle() == (0, 0)
    make_older(timedelta(minutes=17))
    assert trash.settle() == (1, 0)
    assert Stored.objects.get().state == "stored"


def test_what_never_came_is_forgotten_when_no_write_can_be_under_way(host: Host):
    host.told("write", host.wish("data", b"never"))
    make_older(timedelta(minutes=100))
    assert trash.settle() == (0, 0)
    make_older(timedelta(minutes=30))
    assert trash.settle() == (0, 1)
    assert not Stored.objects.exists()


def test_an_object_of_another_length_than_was_said_is_no_object(host: Host, s3: S3Server, storage: Storage):
    """Where a storage does not check: what lies there is not what was asked for, and goes."""
    wish = host.wish("data", b"a pack")
    host.told("write", wish)
    raw = b"something longer"
    given = storage.presign_write(
        f"{host.server.pk}/data/{wish['name']}", bytes=len(raw), sha256=wish["name"]
    )
    s3.state.switch("hash", False)
    try:
        assert put({"url": given.url, "headers": given.headers}, raw) == 200
    finally:
        s3.state.switch("hash", True)
    assert host.told("wrote", wish)[0]["there"] is False
    assert host.told("read", wish)[0]["gone"] is True
    make_older(timedelta(minutes=17))
    trash.settle()
    make_older(3 * HOUR)
    assert trash.empty() == 1
    assert in_bucket(storage) == set()
