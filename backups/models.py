"""Backups of the servers: repositories, the objects in them, restore points, and what hosts are asked to do.

`home` is a server's id. Objects are a host's own, encrypted before they leave it; nothing here can read one.
"""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from backups.export_models import Export
from backups.models_stored import Stored
from backups.retention import Term
from vault.models import Secret

__all__ = ["Export", "Job", "Point", "Repository", "Retention", "Stored"]


class Repositories(models.QuerySet["Repository"]):
    """Asked in the same words wherever it matters which are in use."""

    def living(self) -> "Repositories":
        return self.filter(ended_at=None)


class Repository(models.Model):
    """All backups of one server: where they lie, and what its host is told."""

    home = models.UUIDField(primary_key=True, help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="repositories")
    bucket = models.CharField(max_length=63)
    keep = models.DurationField(help_text="as long as a restore point is kept now; see the retentions")
    every = models.DurationField(help_text="between two backups")
    room = models.BigIntegerField(
        help_text="bytes that belong to the plan; beyond a multiple nothing is taken"
    )
    hours_from = models.IntegerField(null=True, blank=True, help_text="UTC; empty: at any hour")
    hours_to = models.IntegerField(null=True, blank=True)
    kib_s = models.IntegerField(null=True, blank=True, help_text="KiB a second; empty: no limit")
    escrow = models.UUIDField(
        default=uuid.uuid4, editable=False, help_text="the id that its secret will have"
    )
    escrow_key = models.CharField(max_length=16, help_text="the vault's key that the host seals to")
    escrow_public = models.CharField(max_length=64, help_text="its public half, in base64")
    secret = models.OneToOneField(
        Secret, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="the password"
    )
    handed = models.TextField(blank=True, help_text="the password, sealed to the agent of new hardware")
    handed_to = models.CharField(max_length=64, blank=True, help_text="that agent's public key")
    began_at = models.DateTimeField(default=timezone.now)
    removals_allowed_until = models.DateTimeField(null=True, blank=True, help_text="by staff")
    not_forgotten_since = models.DateTimeField(
        null=True, blank=True, help_text="since when we remove what its host should have forgotten"
    )
    compared_at = models.DateTimeField(null=True, blank=True, help_text="with the bucket")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=80, blank=True)
    emptied_at = models.DateTimeField(
        null=True, blank=True, help_text="when nothing of it was found any more"
    )
    removed = models.BigIntegerField(default=0, help_text="objects, at its end")
    removed_bytes = models.BigIntegerField(default=0)

    objects = Repositories.as_manager()

    class Meta:
        verbose_name_plural = "repositories"
        indexes = [
            models.Index(fields=["-began_at", "home"], name="repository_newest"),
            models.Index(fields=["account", "-began_at"], name="repository_account"),
        ]

    def __str__(self) -> str:
        return f"backups of {self.home}"

    @property
    def subject(self) -> str:
        """How runs, events and secrets name it."""
        return f"repository:{self.pk}"

    @property
    def server(self) -> str:
        """How alarms and the server's own programs name it."""
        return f"server:{self.pk}"

    def terms(self) -> list[Term]:
        """What was promised, and since when."""
        return [Term(one.since, one.keep) for one in self.retentions.all()]


class Retention(models.Model):
    """From `since` on restore points were to be kept for so long; rows are added and never changed."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="retentions")
    since = models.DateTimeField(default=timezone.now)
    keep = models.DurationField()
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ["since", "id"]
        indexes = [models.Index(fields=["repository", "since"], name="retention_of")]

    def __str__(self) -> str:
        return f"{self.keep} since {self.since:%Y-%m-%d %H:%M}"


class Point(models.Model):
    """A restore point as its host describes it; it is there as long as its snapshot is stored."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="points")
    snapshot = models.CharField(max_length=64, help_text="the name of the object that stands for it")
    at = models.DateTimeField(help_text="by the host's clock")
    stored_at = models.DateTimeField(help_text="by ours; its time is counted from here")
    bytes = models.BigIntegerField(help_text="of mail and state, before restic")
    mailboxes = models.IntegerField()
    messages = models.BigIntegerField()
    manifest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the manifest in it")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when it could no longer be restored")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "snapshot"], name="point_once")]
        indexes = [
            models.Index(fields=["repository", "-stored_at"], name="point_of"),
            models.Index(fields=["-stored_at", "id"], name="point_newest"),
            models.Index(fields=["gone_at"], condition=~Q(gone_at=None), name="point_gone"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class Jobs(models.QuerySet["Job"]):
    """Asked in the same words wherever it matters which are under way."""

    def open(self) -> "Jobs":
        return self.filter(state=Job.State.WANTED)


class Job(models.Model):
    """Something that a host is asked to do once."""

    GIVEN_UP = timedelta(days=7)

    class Do(models.TextChoices):
        BACKUP = "backup", "back up now"
        LOOK = "look", "look into a restore point"
        RESTORE = "restore", "restore"
        DRILL = "drill", "drill"
        EXPORT = "export", "export"
        PRUNE = "prune", "tidy up"

    class State(models.TextChoices):
        WANTED = "wanted", "asked for"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="jobs")
    do = models.CharField(max_length=10, choices=Do)
    args = models.JSONField(default=dict, blank=True)
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WANTED)
    why = models.CharField(max_length=300, blank=True, help_text="what kept it from being done")
    result = models.JSONField(default=dict, blank=True)

    objects = Jobs.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["repository", "asked_at"], condition=Q(state="wanted"), name="job_open"),
            models.Index(fields=["repository", "do", "-asked_at"], name="job_of"),
            models.Index(fields=["-asked_at", "id"], name="job_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.do} of {self.repository_id}"
