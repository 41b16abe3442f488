"""Secrets as ciphertexts, and the keys that they are or were sealed to. Postgres keeps the rules; see migrations/sql."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Key(models.Model):
    """A key pair by the id of its public half; the halves themselves are in files."""

    id = models.CharField(max_length=16, primary_key=True, help_text="as vault.keys.key_id says it")
    added_at = models.DateTimeField(db_default=Now(), editable=False, help_text="first sealed to")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="from then on it opens nothing")

    class Meta:
        indexes = [models.Index(fields=["-added_at", "id"], name="key_newest")]

    def __str__(self) -> str:
        return self.id


class Secret(models.Model):
    """One secret of an account, for one purpose of one thing; only a worker can open it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account_id = models.UUIDField()
    purpose = models.CharField(max_length=60, help_text="what it is for, such as aws")
    subject = models.CharField(max_length=80, help_text="whose row uses it, such as credentials:<uuid>")
    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="+", db_index=False)
    sealed = models.BinaryField(help_text="encapsulated key and ciphertext; empty once it is shredded")
    kept_at = models.DateTimeField(db_default=Now(), editable=False)
    sealed_at = models.DateTimeField(db_default=Now(), help_text="to the key that it has now")
    by = models.TextField(help_text="who gave it, such as user:12")
    shredded_at = models.DateTimeField(null=True, blank=True)
    shredded_by = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shredded_at=None, sealed__gt=b"") | Q(shredded_at__isnull=False, sealed=b""),
                name="empty_when_shredded",
            )
        ]
        indexes = [
            models.Index(fields=["key", "id"], condition=Q(shredded_at=None), name="secret_of_key"),
            models.Index(fields=["subject", "id"], name="secret_subject"),
            models.Index(fields=["account_id", "id"], name="secret_account"),
            models.Index(fields=["-kept_at", "id"], name="secret_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.subject}"
