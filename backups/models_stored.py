"""The inventory: one row for each object that a host was allowed to write."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

NOT_THERE_YET = "signed"


class Stored(models.Model):
    """An object in the bucket, or one that may be there soon. There are millions; lists for hosts are read from here."""

    class Kind(models.TextChoices):
        """Of restic's REST protocol, version 2: https://restic.readthedocs.io/en/stable/REST_backend.html"""

        CONFIG = "config", "config"
        DATA = "data", "data"
        INDEX = "index", "index"
        KEYS = "keys", "keys"
        LOCKS = "locks", "locks"
        SNAPSHOTS = "snapshots", "snapshots"

    class State(models.TextChoices):
        SIGNED = "signed", "may be written"
        STORED = "stored", "stored"
        TRASHED = "trashed", "in the trash"
        LEAVING = "leaving", "being removed"

    home = models.UUIDField(help_text="the server")
    kind = models.CharField(max_length=9, choices=Kind, db_collation="C")
    name = models.CharField(max_length=64, db_collation="C", help_text="SHA-256 of it; empty for the config")
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the config")
    state = models.CharField(max_length=7, choices=State)
    signed_at = models.DateTimeField(db_default=Now(), help_text="when an address to write it was given last")
    stored_at = models.DateTimeField(null=True, blank=True, help_text="when we saw it in the storage")
    trashed_at = models.DateTimeField(null=True, blank=True)
    leaves_at = models.DateTimeField(null=True, blank=True, help_text="when it is removed for good")
    missing_at = models.DateTimeField(null=True, blank=True, help_text="since when the bucket lacks it")

    class Meta:
        verbose_name_plural = "stored objects"
        constraints = [
            models.UniqueConstraint(fields=["home", "kind", "name"], name="stored_once"),
            models.CheckConstraint(
                condition=Q(state__in=("signed", "stored"), leaves_at=None)
                | Q(state__in=("trashed", "leaving"), leaves_at__isnull=False, trashed_at__isnull=False),
                name="what_leaves_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["home", "state"], include=["bytes", "stored_at"], name="stored_sums"),
            models.Index(fields=["signed_at"], condition=Q(state="signed"), name="stored_unseen"),
            models.Index(
                fields=["leaves_at"], condition=Q(state__in=("trashed", "leaving")), name="stored_leaving"
            ),
            models.Index(
                fields=["home", "stored_at"],
                condition=Q(kind="snapshots", state="stored"),
                name="stored_snapshots",
            ),
            models.Index(fields=["missing_at"], condition=Q(missing_at__isnull=False), name="stored_missing"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return key_of(str(self.home), self.kind, self.name)


def key_of(home: str, kind: str, name: str) -> str:
    return f"{home}/{kind}/{name}" if name else f"{home}/{kind}"
