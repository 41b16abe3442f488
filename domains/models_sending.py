"""What is kept here for sending by the customer's own SES: test mails, and records of the DNS that SES wants to see."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Letter(models.Model):
    """A test mail that a server hands in once, and what the way out answered; it proves a key, or shows that mail leaves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="test_letters")
    home = models.UUIDField(help_text="the server that sends it")
    to = models.CharField(max_length=254)
    sender = models.CharField(max_length=254, help_text="an address at a domain of this server")
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="when the server's report told of it")
    code = models.IntegerField(
        default=0,
        help_text="of the way out's reply (RFC 5321): 250 where it took the mail, 0 where none came",
    )
    answer = models.TextField(blank=True, help_text="the way out's words")

    class Meta:
        verbose_name = "test letter"
        indexes = [
            models.Index(fields=["-asked_at", "id"], name="test_letter_newest"),
            models.Index(fields=["home", "-asked_at"], name="test_letter_home"),
            models.Index(fields=["home"], condition=Q(answered_at=None), name="test_letter_open"),
        ]

    def __str__(self) -> str:
        return f"to {self.to}"


class HandedRecord(models.Model):
    """A record of the DNS that somebody else than our server wants to see at a domain; `source` says who."""

    domain = models.ForeignKey("domains.Domain", on_delete=models.CASCADE, related_name="handed")
    source = models.CharField(max_length=20)
    purpose = models.CharField(max_length=30, help_text="a word that stays the same")
    type = models.CharField(max_length=10)
    name = models.CharField(max_length=253, help_text="without a dot at its end")
    value = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "source", "type", "name", "value"], name="one_record_of_a_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.name}"
