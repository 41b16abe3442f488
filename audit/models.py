"""What happened, and the evidence. Postgres keeps both from being changed; see migrations/sql."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Event(models.Model):
    """One thing that happened. Its table is partitioned by month; Postgres gives number and hash at commit."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    account_id = models.UUIDField(null=True, blank=True, help_text="empty: the house's own")
    by = models.TextField(help_text="who did it, such as user:12, staff:3, gumroad, program:Provision")
    action = models.TextField(help_text="noun.verb, such as server.wanted")
    subject = models.TextField(blank=True, help_text="what it was done to, such as server:<uuid>")
    facts = models.JSONField(default=dict, blank=True)
    reference = models.TextField(blank=True, help_text="the request or run, as in the log")
    seq = models.BigIntegerField(null=True, editable=False, help_text="its number in the account's chain")
    prev_hash = models.BinaryField(null=True)
    hash = models.BinaryField(null=True)

    class Meta:
        managed = False
        db_table = "audit_event"

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class Head(models.Model):
    """The end of a chain, and from where it is checked since older months left."""

    chain = models.UUIDField(primary_key=True, help_text="the account; all zeros for the house")
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    at = models.DateTimeField()
    anchor_seq = models.BigIntegerField()
    anchor_hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"{self.chain} at {self.seq}"


class Receipt(models.Model):
    """What we attest, as the text that was signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account_id = models.UUIDField()
    subject = models.TextField(unique=True)
    text = models.TextField()
    key = models.TextField(help_text="id of the public key")
    signature = models.TextField(help_text="Ed25519, in base64")
    issued_at = models.DateTimeField(default=timezone.now)

    class Meta:
        managed = False
        db_table = "audit_receipt"

    def __str__(self) -> str:
        return f"receipt for {self.subject}"


class Deed(models.Model):
    """Something that staff did in their site, and why; its key comes with the page, so that a form sent twice acts once."""

    once = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80, help_text="such as staff:3")
    act = models.CharField(max_length=80, help_text="list and action, such as engine.run:retry_now")
    title = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    told = models.JSONField(
        default=list, help_text="each row, and why nothing was done with it where that is so"
    )

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-once"], name="deed_newest"),
            models.Index(fields=["by", "-at"], name="deed_by"),
        ]

    def __str__(self) -> str:
        return self.title


class Fault(models.Model):
    """A request that we could not answer, by the reference that its page showed; never what was asked or said."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    reference = models.CharField(max_length=64)
    method = models.CharField(max_length=10)
    route = models.CharField(max_length=200, help_text="the pattern and not the path, which may hold a token")
    error = models.CharField(max_length=120, help_text="the exception's class; its words may hold a secret")
    place = models.CharField(max_length=200, help_text="where in our code")
    by = models.CharField(max_length=80, blank=True, help_text="who was signed in, such as user:12")

    class Meta:
        indexes = [
            models.Index(fields=["reference"], name="fault_reference"),
            models.Index(fields=["-at", "-id"], name="fault_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.error} at {self.route}"
