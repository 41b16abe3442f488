"""Exports at the gate: a host brings a mailbox as a file, part by part, for a request of its own customer and for nothing else.

The gate begins uploads, signs their parts and completes them. It aborts and deletes nothing: that is a worker's.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.actions import record
from backups import bucket
from backups.asked import HASH, Nonsense
from backups.export_models import KEPT, Export
from backups.models import Job, Repository
from clients.errors import Gone
from clients.object_storage_multipart import MOST_PARTS, Part
from domains.models import Mailbox

MIB = 2**20
PART = 16 * MIB  # bytes, as long as that is enough
ROOM = 2  # times the plan's disk, for all exports of a server at once
MOST_MESSAGES = 2**40
Answer = tuple[int, dict[str, Any]]


def begin(repository: Repository, said: dict[str, Any]) -> Answer:
    """An upload of one mailbox; begun again it is another one, and what came of the first is thrown away."""
    job, mailbox = _job(repository, said), _uuid(said, "mailbox")
    address = _address(repository, mailbox)
    if job is None or job.args.get("mailbox", str(mailbox)) != str(mailbox) or not address:
        return _refused("not_asked")
    if Export.objects.filter(job=job, mailbox=mailbox, state=Export.State.READY).exists():
        return 200, {"ready": True}
    if _taken(repository) >= ROOM * repository.room:
        return _refused("full")
    export = _fresh(repository, job, mailbox, address)
    export.upload = bucket.multipart().begin_upload(export.key, kind="application/zip")
    export.save(update_fields=["upload"])
    return 200, {"export": str(export.pk), "part": export.part_bytes}


@transaction.atomic
def _fresh(repository: Repository, job: Job, mailbox: UUID, address: str) -> Export:
    """The row is there before the upload is, so that whatever is begun is known of."""
    Repository.objects.select_for_update(no_key=True).get(pk=repository.pk)
    Export.objects.uploading().filter(job=job, mailbox=mailbox).end("begun again")
    return Export.objects.create(
        repository=repository, job=job, mailbox=mailbox, address=address,
        format=job.args.get("format", Export.Format.MBOX), part_bytes=part_bytes(repository.room),
    )  # fmt: skip


def part_bytes(room: int) -> int:
    """So that a mailbox as large as twice the plan's disk fits into as many parts as S3 allows: 16 MiB, or a multiple."""
    return PART * -(-ROOM * room // (PART * (MOST_PARTS - 1)))


def part(repository: Repository, said: dict[str, Any]) -> Answer:
    """An address for the next part, or once more for an earlier one."""
    export = _export(repository, said)
    number, size = _whole(said, "number", MOST_PARTS), _whole(said, "bytes", 2**40)
    digest = _sha256(said)
    if export is None:
        return _refused("not_asked")
    if number > export.parts + 1 or size > export.part_bytes:
        raise Nonsense("part")
    if _taken(repository, but=export) + number * export.part_bytes > ROOM * repository.room:
        return _refused("full")
    here = Export.objects.uploading().filter(pk=export.pk)
    here.update(touched_at=timezone.now())
    here.filter(parts__lt=number).update(parts=number)
    signed = bucket.multipart().presign_part(export.key, export.upload, number, bytes=size, sha256=digest)
    return 200, {"url": signed.url, "headers": signed.headers, "until": signed.until}


def done(repository: Repository, said: dict[str, Any]) -> Answer:
    """All parts are there: they become the file that its customer can fetch. Said twice it is done once."""
    size, digest = _whole(said, "bytes", 2**50), _sha256(said)
    messages, skipped = (_whole(said, name, MOST_MESSAGES, least=0) for name in ("messages", "skipped"))
    known = Export.objects.filter(pk=_uuid(said, "export"), repository=repository).first()
    if known and known.state == Export.State.READY:
        return 200, {"ready": True}
    export = _export(repository, said)
    if export is None:
        return _refused("not_asked")
    if not _complete(export, size):
        return _refused("incomplete")
    _note(export, bytes=size, sha256=digest, messages=messages, skipped=skipped)
    return 200, {"ready": True}


def _complete(export: Export, size: int) -> bool:
    """Whether the object is there with this length. What was completed before, its answer lost, is there too."""
    storage = bucket.multipart()
    try:
        parts = storage.parts(export.key, export.upload)
        if not _are_whole(parts, size):
            return False
        storage.complete_upload(export.key, export.upload, parts)
    except Gone:
        pass
    there = storage.head(export.key)
    return there is not None and there.bytes == size


def _are_whole(parts: list[Part], size: int) -> bool:
    numbers = [one.number for one in parts]
    return numbers == list(range(1, len(parts) + 1)) and sum(one.bytes for one in parts) == size


@transaction.atomic
def _note(export: Export, **facts: Any) -> None:
    """Once; what was given up meanwhile stays given up, and its object is removed."""
    now = timezone.now()
    here = Export.objects.uploading().filter(pk=export.pk)
    if not here.update(state=Export.State.READY, made_at=now, expires_at=now + KEPT, **facts):
        return
    record(
        "export.made", by=f"agent:{export.repository_id}", account=export.repository.account_id,
        subject=export.repository.server, export=str(export.pk), address=export.address, format=export.format,
        bytes=facts["bytes"], messages=facts["messages"], sha256=facts["sha256"],
    )  # fmt: skip


def _taken(repository: Repository, but: Export | None = None) -> int:
    """Bytes of all exports of the server that are in the bucket, or may be."""
    here = Export.objects.filter(repository=repository, removed_at=None).exclude(
        pk__in=[but.pk] if but else []
    )
    sizes = here.annotate(signed=F("parts") * F("part_bytes")).values_list("bytes", "signed")
    return sum(size or signed for size, signed in sizes)


def _job(repository: Repository, said: dict[str, Any]) -> Job | None:
    """The request, as long as it is open."""
    return repository.jobs.open().filter(pk=_uuid(said, "job"), do=Job.Do.EXPORT).first()


def _export(repository: Repository, said: dict[str, Any]) -> Export | None:
    """The upload, as long as it is asked for."""
    here = Export.objects.uploading().filter(repository=repository, job__state=Job.State.WANTED)
    return here.exclude(upload="").filter(pk=_uuid(said, "export")).first()


def _address(repository: Repository, mailbox: UUID) -> str:
    """As we know it; "" where no such mailbox lives on this server."""
    here = Mailbox.objects.living().select_related("domain")
    found = here.filter(pk=mailbox, domain__home=repository.pk).first()
    return found.address if found else ""


def _refused(why: str) -> Answer:
    return 200, {"refused": why}


def _uuid(said: dict[str, Any], name: str) -> UUID:
    given = said.get(name)
    try:
        found = UUID(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != given:
        raise Nonsense(name)
    return found


def _whole(said: dict[str, Any], name: str, most: int, *, least: int = 1) -> int:
    given = said.get(name)
    if type(given) is not int or not least <= given <= most:
        raise Nonsense(name)
    return given


def _sha256(said: dict[str, Any]) -> str:
    given = said.get("sha256")
    if not isinstance(given, str) or not HASH.fullmatch(given):
        raise Nonsense("sha256")
    return given
