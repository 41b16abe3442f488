"""Exports in each of their states, for the pages to show; nothing here speaks with a storage."""

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.utils import timezone

from backups.models import Export, Job, Repository
from tests.dashboard import backups_world


def asked(of: Repository, **args: Any) -> Job:
    return backups_world.job(of, "export", args={"format": "mbox", **args})


def ready(
    of: Repository, address: str = "anna@firm.example", ago: timedelta = timedelta(hours=5), **fields: Any
) -> Export:
    """A file that can be fetched."""
    job = backups_world.job(of, "export", "done", args={"format": fields.get("format", "mbox")})
    made = timezone.now() - ago
    given = {
        "mailbox": uuid4(),
        "format": "mbox",
        "part_bytes": 16 * 2**20,
        "state": "ready",
        "bytes": 2_345_000_000,
        "messages": 18_204,
        "sha256": sha256(address.encode()).hexdigest(),
        "begun_at": made,
        "made_at": made,
        "expires_at": made + timedelta(days=7),
    }
    return Export.objects.create(repository=of, job=job, address=address, **{**given, **fields})


def failed(of: Repository, why: str) -> Job:
    return backups_world.job(of, "export", "failed", args={"format": "eml"}, why=why)
