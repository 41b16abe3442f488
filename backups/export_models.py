"""What customers take with them: one file for each mailbox and request, readable without us, and gone after a week."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

KEPT = timedelta(days=7)
FOLDER = "exports"  # of a server, in the bucket


class Exports(models.QuerySet["Export"]):
    """Asked in the same words wherever it matters which there are."""

    def ready(self) -> "Exports":
        return self.filter(state=Export.State.READY, expires_at__gt=timezone.now())

    def uploading(self) -> "Exports":
        return self.filter(state=Export.State.UPLOADING)

    def to_remove(self) -> "Exports":
        """What is over, and may still lie in the bucket."""
        return self.filter(state__in=(Export.State.FAILED, Export.State.GONE), removed_at=None)

    def end(self, why: str, by: str = "") -> int:
        """Of these, what is ready is gone from now on, and what is on its way has failed; how many."""
        said = {"gone_at": timezone.now(), "why": why, "by": by}
        gone = self.filter(state=Export.State.READY).update(state=Export.State.GONE, **said)
        return gone + self.uploading().update(state=Export.State.FAILED, **said)


class Export(models.Model):
    """One try to bring one mailbox into the bucket as a file; a host that begins again gets another row.

    The file is not encrypted by us: who has the storage's key can read it. It is there for those who asked, for a week.
    """

    class Format(models.TextChoices):
        MBOX = "mbox", "mbox"
        MAILDIR = "maildir", "Maildir"
        EML = "eml", "EML"

    class State(models.TextChoices):
        UPLOADING = "uploading", "on its way"
        READY = "ready", "ready"
        FAILED = "failed", "failed"
        GONE = "gone", "gone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    repository = models.ForeignKey("backups.Repository", on_delete=models.CASCADE, related_name="exports")
    job = models.ForeignKey("backups.Job", on_delete=models.CASCADE, related_name="exports")
    mailbox = models.UUIDField()
    address = models.CharField(max_length=320, help_text="the mailbox' address then")
    format = models.CharField(max_length=7, choices=Format)
    state = models.CharField(max_length=9, choices=State, default=State.UPLOADING)
    upload = models.CharField(max_length=1024, blank=True, help_text="the storage's name of the upload")
    part_bytes = models.BigIntegerField(help_text="of each part but the last")
    parts = models.IntegerField(default=0, help_text="the highest number that was signed for")
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the whole, by its host")
    messages = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0, help_text="messages that went away while it was made")
    why = models.CharField(max_length=200, blank=True, help_text="why it failed, or is gone")
    by = models.CharField(max_length=80, blank=True, help_text="who had it deleted")
    begun_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now, help_text="when its host asked for a part last")
    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="since when nobody is let to it")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="when nothing of it was in the bucket")
    downloads = models.IntegerField(default=0)
    downloaded_at = models.DateTimeField(null=True, blank=True)

    objects = Exports.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "mailbox"], condition=Q(state__in=("uploading", "ready")), name="export_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(made_at__isnull=False, expires_at__isnull=False),
                name="what_is_ready_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["repository", "-begun_at"], name="export_of"),
            models.Index(fields=["-begun_at", "id"], name="export_newest"),
            models.Index(fields=["expires_at"], condition=Q(state="ready"), name="export_ends"),
            models.Index(
                fields=["state", "gone_at"],
                condition=Q(removed_at=None, state__in=("uploading", "failed", "gone")),
                name="export_open",
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.address}"

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return key_of(self.repository_id, self.pk)


def key_of(home: uuid.UUID, export: uuid.UUID) -> str:
    return f"{home}/{FOLDER}/{export}"
