"""One of everything that staff see of backups."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from backups.models import Export, Job, Point, Repository, Retention, Stored
from servers.models import Server


def backups_of(server: Server, secret: str) -> dict[str, Any]:
    """`secret` stands in each column that no page may show."""
    now, name = timezone.now(), uuid4().hex * 2
    repository = Repository.objects.create(
        home=server.pk, account=server.account, bucket="backups", keep=timedelta(days=1), every=timedelta(hours=1),
        room=10**9, escrow_key="k" * 16, escrow_public="A" * 44, handed=secret, handed_to="A" * 44,
    )  # fmt: skip
    Retention.objects.create(repository=repository, keep=timedelta(days=1), by="user:1")
    Stored.objects.create(
        home=server.pk, kind="snapshots", name=name, bytes=300, state="stored", stored_at=now
    )
    job = Job.objects.create(repository=repository, do="export", state="done", by="user:1")
    return {
        "backups/repository": repository,
        "backups/point": Point.objects.create(
            repository=repository, snapshot=name, at=now, stored_at=now, bytes=10**6, mailboxes=2, messages=30
        ),
        "backups/job": job,
        "backups/export": _export(job, secret),
    }


def _export(job: Job, secret: str) -> Export:
    now = timezone.now()
    return Export.objects.create(
        repository=job.repository, job=job, mailbox=uuid4(), address="anna@firm.test", format="mbox", state="ready",
        upload=secret, part_bytes=16 * 2**20, made_at=now, expires_at=now + timedelta(days=7),
    )  # fmt: skip
