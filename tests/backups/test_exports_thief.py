"""Who stole an agent's credentials can bring a file where its customer asked for one, and nothing anywhere else."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from backups import bucket
from backups.models import Export
from clients.object_storage import Storage
from tests.backups.conftest import Host, call, in_bucket, put
from tests.backups.exporting import asked, begun, done, exported, mailbox_of, part, said, sent

pytestmark = pytest.mark.django_db
JUNK = b"junk"
NOT_ASKED = {"refused": "not_asked"}
HASH = sha256(JUNK).hexdigest()


def test_without_a_request_nothing_is_begun(host: Host, storage: Storage):
    mailbox = mailbox_of(host)
    assert said(host, "export_begin", job=str(uuid4()), mailbox=str(mailbox.pk)) == NOT_ASKED
    assert list(bucket.multipart().uploads()) == []
    assert not Export.objects.exists()


def test_another_servers_request_is_none_of_its_own(host: Host, other: Host, storage: Storage):
    theirs = mailbox_of(other)
    job = asked(other, theirs)
    mine = mailbox_of(host)
    for mailbox in (theirs, mine):
        assert said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk)) == NOT_ASKED
    export = begun(other, job, theirs)
    assert part(host, export, 1, JUNK) == NOT_ASKED
    assert done(host, export, JUNK) == NOT_ASKED
    sent(other, export, b"the real one")
    assert done(host, export, b"the real one") == NOT_ASKED
    assert done(other, export, b"the real one") == {"ready": True}
    assert done(host, export, JUNK) == NOT_ASKED
    assert begun(host, asked(host, mine), mine) != export


def test_a_request_for_one_mailbox_is_for_no_other(host: Host, other: Host):
    anna, ben, theirs = mailbox_of(host), mailbox_of(host, "ben"), mailbox_of(other)
    one, all_of = asked(host, anna), asked(host)
    for job, mailbox in ((one, ben), (one, theirs), (all_of, theirs)):
        assert said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk)) == NOT_ASKED
    assert said(host, "export_begin", job=str(all_of.pk), mailbox=str(uuid4())) == NOT_ASKED


def test_a_job_of_another_kind_is_no_request_for_an_export(host: Host):
    from backups.actions import want_job

    mailbox = mailbox_of(host)
    job = want_job(home=host.server.pk, do="look", args={"mailbox": str(mailbox.pk)}, by="user:1")
    assert said(host, "export_begin", job=str(job.pk), mailbox=str(mailbox.pk)) == NOT_ASKED


def test_a_file_that_is_ready_is_changed_by_nobody(host: Host, storage: Storage):
    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    export = begun(host, job, mailbox)
    given = part(host, export, 1, b"the real one")
    assert put(given, b"the real one") == 200
    assert done(host, export, b"the real one") == {"ready": True}
    assert put(given, b"the real one") == 404
    assert part(host, export, 1, JUNK) == NOT_ASKED
    assert done(host, export, JUNK) == {"ready": True}
    row = Export.objects.get()
    assert row.sha256 == sha256(b"the real one").hexdigest()
    assert b"".join(storage.read(row.key)) == b"the real one"


def test_its_backups_and_exports_are_apart(host: Host, other: Host, storage: Storage):
    """No act of backups reaches an export, its own or another's."""
    export = exported(other, mailbox_of(other))
    for do in ("read", "wrote", "remove"):
        answer = host.ask(do, objects=[{"kind": "exports", "name": "0" * 64}])
        assert answer.status_code == 400
    assert host.ask("list", kind="exports", after="").status_code == 400
    assert host.ask("write", objects=[{"kind": "exports", "name": HASH, "bytes": 4}]).status_code == 400
    assert export.key in in_bucket(storage)


def test_an_address_of_a_part_is_for_this_part_alone(host: Host, other: Host):
    mailbox, theirs = mailbox_of(host), mailbox_of(other)
    export, another = begun(host, asked(host, mailbox), mailbox), begun(other, asked(other, theirs), theirs)
    mine, victim = Export.objects.get(pk=export), Export.objects.get(pk=another)
    given = part(host, export, 1, JUNK)
    changed = (
        given["url"].replace(mine.key, victim.key).replace(mine.upload, victim.upload),
        given["url"].replace(mine.upload, victim.upload),
        given["url"].replace("partNumber=1", "partNumber=2"),
        given["url"].replace(f"uploadId={mine.upload}&", ""),
    )
    for url in changed:
        assert url != given["url"]
        assert call("PUT", url, given["headers"], JUNK)[0] == 403
    for method in ("GET", "DELETE", "POST"):
        assert call(method, given["url"], {})[0] == 403
    assert put(given, b"kunj") == 400
    assert bucket.multipart().parts(victim.key, victim.upload) == []


@pytest.mark.parametrize("fields", [
    {"number": 0}, {"number": 2}, {"number": 10_001}, {"number": True}, {"number": "1"}, {"number": 1.0},
    {"bytes": 0}, {"bytes": 16 * 2**20 + 1}, {"bytes": -1}, {"bytes": None}, {"sha256": "A" * 64}, {"sha256": 7},
    {"export": "../../config"}, {"export": None}, {"export": ["a"]},
])  # fmt: skip
def test_nonsense_is_refused_as_such(host: Host, fields: dict[str, Any]):
    mailbox = mailbox_of(host)
    export = begun(host, asked(host, mailbox), mailbox)
    good = {"export": export, "number": 1, "bytes": 4, "sha256": HASH}
    assert host.ask("export_part", **{**good, **fields}).status_code == 400
    assert host.ask("export_part", **good).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"messages": -1}, {"messages": 2**41}, {"skipped": "0"}, {"bytes": 2**51}, {"sha256": ""}]
)
def test_nonsense_of_the_last_word_is_refused_as_such(host: Host, fields: dict[str, Any]):
    mailbox = mailbox_of(host)
    export = begun(host, asked(host, mailbox), mailbox)
    sent(host, export, JUNK)
    good = {"export": export, "bytes": 4, "sha256": HASH, "messages": 1, "skipped": 0}
    assert host.ask("export_done", **{**good, **fields}).status_code == 400
    assert said(host, "export_done", **good) == {"ready": True}


def test_begun_a_hundred_times_one_upload_is_left(host: Host):
    from backups import tasks

    mailbox = mailbox_of(host)
    job = asked(host, mailbox)
    for _ in range(100):
        begun(host, job, mailbox)
    tasks.end_exports()
    assert len(list(bucket.multipart().uploads())) == 1
    assert Export.objects.uploading().count() == 1
