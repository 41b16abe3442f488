"""Exports at the gate: a host brings what its own customer asked for, part by part, however often it is cut off."""

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import Event
from backups import actions, exports, tasks
from backups.models import Export, Job, Repository
from clients.object_storage import Storage
from sandbox.storage.server import S3Server
from sandbox.storage.state import Fault
from tests.backups.conftest import Host, in_bucket, put, work
from tests.backups.exporting import PART, asked, begun, done, exported, mailbox_of, part, said, sent

pytestmark = pytest.mark.django_db
FULL, REST = b"0123456789abcdef" * 2**20, b"and the rest"  # a whole part, and another


def states(**which: Any) -> list[str]:
    return list(Export.objects.filter(**which).order_by("begun_at").values_list("state", flat=True))


def content(storage: Storage, export: Export) -> bytes:
    return b"".join(storage.read(export.key))


def uploads() -> list[str]:
    from backups import bucket

    return [one.key for one in bucket.multipart().uploads()]


def test_a_host_brings_a_mailbox_in_parts_and_its_file_is_there_for_a_week(host: Host, storage: Storage):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    order = actions.wanted(host.server.pk)
    assert order
    assert order["jobs"] == [
        {"id": str(job.pk), "do": "export", "format": "mbox", "mailbox": str(mailbox.pk)}
    ]
    export = begun(host, job, mailbox)
    sent(host, export, FULL, REST)
    assert in_bucket(storage) == set()
    assert done(host, export, FULL, REST) == {"ready": True}
    row = Export.objects.get()
    assert (row.address, row.bytes, row.messages) == (mailbox.address, len(FULL + REST), 3)
    assert row.sha256 == sha256(FULL + REST).hexdigest()
    assert row.made_at
    assert row.expires_at == row.made_at + timedelta(days=7)
    assert in_bucket(storage) == {f"{host.server.pk}/exports/{export}"}
    assert content(storage, row) == FULL + REST
    assert Event.objects.get(action="export.made").facts["address"] == mailbox.address


def test_what_is_said_twice_is_done_once(host: Host, storage: Storage):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    export = begun(host, job, mailbox)
    for _ in range(2):
        sent(host, export, FULL, REST)
    assert [done(host, export, FULL, REST) for _ in range(3)] == [{"ready": True}] * 3
    assert said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk)) == {"ready": True}
    assert Event.objects.filter(action="export.made").count() == 1
    assert states() == ["ready"]


def test_a_host_that_begins_again_is_given_another_upload_and_the_first_goes(host: Host, storage: Storage):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    first = begun(host, job, mailbox)
    sent(host, first, FULL)
    second = begun(host, job, mailbox)
    assert part(host, first, 2, REST) == {"refused": "not_asked"}
    sent(host, second, REST)
    assert done(host, second, REST) == {"ready": True}
    tasks.end_exports()
    assert uploads() == []
    assert states() == ["failed", "ready"]
    assert in_bucket(storage) == {f"{host.server.pk}/exports/{second}"}


def test_a_lost_answer_of_the_last_word_loses_nothing(host: Host, s3: S3Server, storage: Storage):
    """The storage has completed, and we were not told."""
    mailbox = mailbox_of(host)
    export = begun(host, asked(host, mailbox), mailbox)
    sent(host, export, FULL, REST)
    s3.state.add(Fault("slow", "get", times=1, number=0.01))  # the list of parts is asked for first
    s3.state.add(Fault("lose_answer", "other"))
    whole = FULL + REST
    facts = {"bytes": len(whole), "sha256": sha256(whole).hexdigest(), "messages": 3, "skipped": 0}
    assert host.ask("export_done", export=export, **facts).status_code == 503
    assert done(host, export, FULL, REST) == {"ready": True}
    assert content(storage, Export.objects.get()) == whole


@pytest.mark.parametrize("missing", ["first", "last", "length"])
def test_what_is_not_whole_is_not_made_a_file(host: Host, storage: Storage, missing: str):
    mailbox = mailbox_of(host)
    export = begun(host, asked(host, mailbox), mailbox)
    given = [part(host, export, number, piece) for number, piece in ((1, FULL), (2, REST))]
    if missing != "first":
        assert put(given[0], FULL) == 200
    if missing != "last":
        assert put(given[1], REST) == 200
    more = {"bytes": 5} if missing == "length" else {}
    assert done(host, export, FULL, REST, **more) == {"refused": "incomplete"}
    assert in_bucket(storage) == set()
    assert states() == ["uploading"]


def test_all_mailboxes_are_brought_one_by_one_for_one_request(host: Host, storage: Storage):
    anna, ben = mailbox_of(host), mailbox_of(host, "ben")
    job = asked(host, format="eml")
    for mailbox in (anna, ben):
        export = begun(host, job, mailbox)
        sent(host, export, REST)
        done(host, export, REST)
    assert sorted(Export.objects.values_list("address", "format")) == [
        (anna.address, "eml"),
        (ben.address, "eml"),
    ]


def test_a_file_whose_week_is_over_is_offered_no_more_and_leaves(host: Host, storage: Storage):
    export = exported(host, mailbox_of(host))
    other = exported(host, mailbox_of(host, "ben"))
    Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert list(Export.objects.ready()) == [other]
    tasks.end_exports()
    assert in_bucket(storage) == {other.key}
    export.refresh_from_db()
    assert (export.state, export.why) == ("gone", "its time was over")
    assert export.removed_at


def test_an_owner_deletes_it_at_once_and_saying_so_twice_is_one_event(host: Host, storage: Storage):
    export = exported(host, mailbox_of(host))
    for _ in range(2):
        exports.delete(export=export, by="user:1")
    assert list(Export.objects.ready()) == []
    tasks.end_exports()
    assert in_bucket(storage) == set()
    assert Event.objects.filter(action="export.deleted").count() == 1


def test_while_the_storage_is_away_nothing_is_forgotten(host: Host, s3: S3Server, storage: Storage):
    export = exported(host, mailbox_of(host))
    exports.delete(export=export, by="user:1")
    s3.state.add(Fault("slow_down", "*", times=None))
    tasks.end_exports()
    s3.state.clear()
    assert in_bucket(storage) == {export.key}
    tasks.end_exports()
    assert in_bucket(storage) == set()


@pytest.mark.parametrize("end", ["stale", "answered"])
def test_an_upload_that_nobody_goes_on_with_is_aborted(host: Host, storage: Storage, end: str):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    export = begun(host, job, mailbox)
    sent(host, export, FULL)
    tasks.end_exports()
    assert uploads() == [f"{host.server.pk}/exports/{export}"]
    if end == "stale":
        Export.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    else:
        Job.objects.filter(pk=job.pk).update(state="failed")
    tasks.end_exports()
    assert uploads() == []
    assert states() == ["failed"]


def test_killed_between_the_storage_and_the_row_the_upload_is_found_a_day_later(
    host: Host, s3: S3Server, storage: Storage
):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    s3.state.add(Fault("lose_answer", "other"))
    assert host.ask("export_begin", job=str(job.pk), mailbox=str(mailbox.pk)).status_code == 503
    assert len(uploads()) == 1
    export = begun(host, job, mailbox)
    tasks.end_exports()
    assert uploads() == [f"{host.server.pk}/exports/{export}"]  # by its key, though no row had its name


def test_of_uploads_that_no_row_tells_of_the_old_are_aborted(host: Host, s3: S3Server, storage: Storage):
    from backups import bucket

    mailbox = mailbox_of(host)
    known = begun(host, asked(host, mailbox), mailbox)
    bucket.multipart().begin_upload(f"{host.server.pk}/exports/{uuid4()}")
    bucket.multipart().begin_upload("somebody/elses")
    tasks.compare()
    work("CompareBucket")
    assert len(uploads()) == 3
    s3.uploads.age(25)
    tasks.compare()
    work("CompareBucket")
    assert uploads() == [f"{host.server.pk}/exports/{known}"]


def test_the_bucket_beside_the_inventory_knows_exports(
    host: Host, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    from backups.programs import compare

    monkeypatch.setattr(compare, "STRANGER", timedelta(days=-1))
    export = exported(host, mailbox_of(host))
    host.write("data", "a pack")
    tasks.compare()
    assert work("CompareBucket").outcome == "0 missing, 0 strangers"
    assert export.key in in_bucket(storage)
    Export.objects.update(state="gone", removed_at=timezone.now())
    tasks.compare()
    assert work("CompareBucket").outcome == "0 missing, 1 strangers"
    assert export.key not in in_bucket(storage)


def test_a_file_that_the_storage_lost_is_not_offered(host: Host, storage: Storage):
    export = exported(host, mailbox_of(host))
    Export.objects.update(made_at=timezone.now() - timedelta(hours=2))
    storage.delete_many([export.key])
    tasks.compare()
    work("CompareBucket")
    assert list(Export.objects.ready()) == []
    assert Event.objects.filter(action="export.lost").count() == 1


def test_with_the_server_its_exports_go_the_half_ones_too(host: Host, other: Host, storage: Storage):
    export, theirs = exported(host, mailbox_of(host)), exported(other, mailbox_of(other))
    ben = mailbox_of(host, "ben")
    half = begun(host, asked(host, ben), ben)
    sent(host, half, FULL)
    given = part(host, half, 2, REST)
    actions.forget_home(home=host.server.pk, by="program:Destroy")
    assert list(Export.objects.ready()) == [theirs]
    work("EmptyRepository")
    assert in_bucket(storage) == {theirs.key}
    assert uploads() == []
    assert put(given, REST) == 404
    assert host.ask("export_part", export=half).status_code == 409
    Repository.objects.filter(pk=host.server.pk).update(ended_at=timezone.now() - timedelta(hours=2))
    assert exports.opened(exports.link(export=export, by="user:1"))[1] is False


def test_an_older_agent_that_does_not_know_how_answers_so_and_the_request_ends(host: Host):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    answer = {"id": str(job.pk), "state": "failed", "why": "this agent does not know how", "result": {}}
    actions.note_report(home=host.server.pk, said={"jobs": [answer], "points": []})
    assert said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk)) == {"refused": "not_asked"}


def test_what_a_host_may_have_in_the_bucket_ends_at_twice_its_disk(
    host: Host, monkeypatch: pytest.MonkeyPatch
):
    Repository.objects.filter(pk=host.server.pk).update(room=PART)
    anna, ben = mailbox_of(host), mailbox_of(host, "ben")
    job = asked(host)
    export = begun(host, job, anna)
    sent(host, export, FULL, FULL)
    assert part(host, export, 3, REST) == {"refused": "full"}
    assert said(host, "export_begin", job=str(job.pk), mailbox=str(ben.pk)) == {"refused": "full"}
    assert done(host, export, FULL, FULL) == {"ready": True}
    exports.delete(export=Export.objects.get(pk=export), by="user:1")
    tasks.end_exports()
    assert begun(host, job, ben)
