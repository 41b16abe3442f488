"""The end of a server: the password first, then every object, looked for again; nothing of another server's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from backups import actions
from backups.models import Repository, Stored
from backups.programs import empty
from clients.object_storage import Storage
from engine import worker
from engine.models import Alarm, Run
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from servers.models import Destruction
from tests.backups.conftest import Host, in_bucket, put, work
from vault.models import Secret

pytestmark = pytest.mark.django_db


def end(host: Host) -> Run:
    assert actions.forget_home(home=host.server.pk, by="program:Destroy") is True
    return work("EmptyRepository")


def again(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    worker.work(run.pk)
    run.refresh_from_db()
    return run


def later(run: Run) -> Run:
    """When no address to write is good any more."""
    Repository.objects.filter(ended_at__isnull=False).update(ended_at=timezone.now() - timedelta(hours=2))
    return again(run)


def test_all_of_it_goes_and_nothing_of_another_servers(
    host: Host, other: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(empty, "BATCH", 3)
    for n in range(8):
        host.write("data", f"pack {n}")
    theirs = other.write("data", "theirs")
    run = end(host)
    assert Secret.objects.get(subject=f"repository:{host.server.pk}").shredded_at
    assert in_bucket(storage) == {f"{other.server.pk}/data/{theirs['name']}"}
    told = actions.is_forgotten(host.server.pk)
    assert told == {"bucket": storage.bucket, "objects": 8, "bytes": 8 * len("pack 0")}
    assert later(run).outcome == "emptied"
    assert list(Stored.objects.values_list("home", flat=True)) == [other.server.pk]
    assert other.names("data") == [theirs["name"]]
    assert Event.objects.filter(action="backup.removed", subject=host.server.subject).count() == 1


def test_what_is_written_by_an_address_of_before_goes_too(host: Host, storage: Storage):
    (given,) = host.told("write", host.wish("data", b"a late one"))
    run = end(host)
    assert put(given, b"a late one") == 200
    assert run.step == "wait_addresses"
    assert later(run).outcome == "emptied"
    assert in_bucket(storage) == set()


def test_until_nothing_is_found_a_receipt_says_nothing(host: Host, s3: S3Server):
    host.write("data", "a pack")
    s3.state.add(Fault("slow_down", "delete"))
    run = end(host)
    assert actions.is_forgotten(host.server.pk) is None
    again(run)
    assert actions.is_forgotten(host.server.pk)


def test_to_say_it_twice_changes_nothing_and_without_backups_there_is_nothing_to_end(host: Host):
    end(host)
    assert actions.forget_home(home=host.server.pk, by="program:Destroy") is True
    assert Event.objects.filter(action="backup.ended").count() == 1
    Repository.objects.all().delete()
    assert actions.forget_home(home=host.server.pk, by="program:Destroy") is False


def test_its_alarms_end_with_it(host: Host):
    Alarm.objects.create(key=f"backups:{host.server.pk}:old", subject=host.server.subject, says="old")
    later(end(host))
    assert not Alarm.objects.filter(closed_at=None).exists()


def test_a_server_is_gone_when_its_backups_are_and_the_receipt_says_so(host: Host, storage: Storage):
    host.write("data", "a pack")
    Destruction.objects.create(
        server=host.server, by="gumroad", reason="ended", due_at=timezone.now(), begun_at=timezone.now()
    )
    run = Run.objects.create(program="Destroy", subject=host.server.subject, step="end_backups")
    worker.work(run.pk)
    run.refresh_from_db()
    if run.step == "wait_backups_gone":
        work("EmptyRepository")
        run = again(run)
    assert run.outcome == "destroyed"
    (line,) = [one for one in Destruction.objects.get().answers if one["what"] == "its backups"]
    assert (line["objects"], line["bucket"]) == (1, storage.bucket)
    assert in_bucket(storage) == set()
