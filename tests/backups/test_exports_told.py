"""Who asked for an export hears of its end by letter, once, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Letter, Membership, User
from backups import actions, exports, tasks
from backups.models import Job
from clients.object_storage import Storage
from tests.backups.conftest import Host
from tests.backups.exporting import begun, done, mailbox_of, sent

pytestmark = pytest.mark.django_db


def asked_by(host: Host, user: User, **args: Any) -> Job:
    return exports.want(home=host.server.pk, format="mbox", by=f"user:{user.pk}", **{"mailbox": None, **args})


def answered(host: Host, job: Job, state: str = "done") -> None:
    answer = {"id": str(job.pk), "state": state, "why": "", "result": {}}
    actions.note_report(home=host.server.pk, said={"jobs": [answer], "points": []})


def told() -> list[tuple[str, str]]:
    tasks.end_exports()
    tasks.end_exports()
    return sorted(Letter.objects.filter(kind__startswith="export").values_list("kind", "to"))


def made(host: Host, user: User) -> Job:
    mailbox = mailbox_of(host)
    job = asked_by(host, user, mailbox=mailbox.pk)
    export = begun(host, job, mailbox)
    sent(host, export, b"a zip")
    done(host, export, b"a zip")
    return job


def test_its_owner_hears_when_it_is_there(host: Host, alice: User, storage: Storage) -> None:
    job = made(host, alice)
    assert told() == []
    answered(host, job)
    assert told() == [("export_ready", alice.email)]
    context = Letter.objects.get(kind="export_ready").context
    assert (context["what"], context["url"]) == ("anna@post.test", f"/servers/{host.server.pk}/exports")


def test_its_owner_hears_that_it_failed(host: Host, alice: User) -> None:
    answered(host, asked_by(host, alice), "failed")
    assert told() == [("export_failed", alice.email)]


@pytest.mark.parametrize("end", ["member", "left", "inactive", "old", "staff"])
def test_who_may_not_fetch_it_hears_nothing(host: Host, alice: User, storage: Storage, end: str) -> None:
    job = made(host, alice)
    answered(host, job)
    if end == "member":
        Membership.objects.filter(user=alice).update(role=Membership.Role.MEMBER)
    elif end == "left":
        Membership.objects.filter(user=alice).delete()
    elif end == "inactive":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    elif end == "old":
        Job.objects.update(done_at=timezone.now() - timedelta(days=3))
    else:
        Job.objects.update(by="staff:1")
    assert told() == []
