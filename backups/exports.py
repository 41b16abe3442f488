"""Exports as other rooms ask for them: wanted, handed out, and deleted before their time."""

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.actions import record
from backups import bucket
from backups.actions import want_job
from backups.export_models import Export
from backups.models import Job

SALT = "mailat.exports"
LINK_LIFE = timedelta(seconds=60)  # of the way from our page to the gate
DOWNLOAD_LIFE = timedelta(
    hours=12
)  # of the storage's own address, so that a large file may break off and go on


class BadLink(Exception):
    """Nobody here made this link."""


def want(*, home: UUID, mailbox: UUID | None, format: str, by: str) -> Job:
    """Ask a server for the mail of one mailbox or of all, as files. Raises NoBackups, TooManyJobs."""
    args = {"format": Export.Format(format).value} | ({"mailbox": str(mailbox)} if mailbox else {})
    return want_job(home=home, do=Job.Do.EXPORT, args=args, by=by)


@transaction.atomic
def link(*, export: Export, by: str) -> str:
    """A word that opens the gate for this file for a minute, to somebody whose right was looked at."""
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1, downloaded_at=timezone.now())
    record(
        "export.downloaded", by=by, account=export.repository.account_id, subject=export.repository.server,
        export=str(export.pk), address=export.address,
    )  # fmt: skip
    return signing.dumps(str(export.pk), salt=SALT)


def opened(word: str) -> tuple[Export | None, bool]:
    """The file that a link was made for, and whether it may still be used; for the gate. Raises BadLink."""
    try:
        export = _of(signing.loads(word, salt=SALT, max_age=LINK_LIFE))
        return export, export is not None and _is_ready(export)
    except signing.SignatureExpired:
        return _of(signing.loads(word, salt=SALT)), False
    except signing.BadSignature:
        raise BadLink from None


def _of(pk: str) -> Export | None:
    return Export.objects.select_related("repository").filter(pk=pk).first()


def _is_ready(export: Export) -> bool:
    return Export.objects.ready().filter(pk=export.pk, repository__ended_at=None).exists()


def address(export: Export) -> str:
    """Where a browser gets the file from the storage itself. Raises TryLater or Refused."""
    signed = bucket.multipart().presign_download(
        export.key, name=file_name(export), seconds=int(DOWNLOAD_LIFE.total_seconds())
    )
    return signed.url


def file_name(export: Export) -> str:
    """What the file is called on its owner's disk: plain letters only."""
    made = export.made_at or export.begun_at
    plain = "".join(letter if (letter.isascii() and letter.isalnum()) or letter in ".-" else "-" for letter in
                    export.address.replace("@", "-at-"))  # fmt: skip
    return f"mail-of-{plain[:90]}-{made:%Y-%m-%d}-{export.format}.zip"


@transaction.atomic
def delete(*, export: Export, by: str) -> None:
    """Nobody is let to it from now on; a worker removes it from the storage. Said twice it is done once."""
    if not Export.objects.filter(pk=export.pk, state=Export.State.READY).end("deleted by its owner", by):
        return
    record(
        "export.deleted", by=by, account=export.repository.account_id, subject=export.repository.server,
        export=str(export.pk), address=export.address,
    )  # fmt: skip
