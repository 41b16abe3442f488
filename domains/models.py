"""Domains, mailboxes and aliases: what the customer calls their mail. Where it lives is `home`, a server's id.

Rows say what is wanted; servers/ reads them into the order of the server whose id is `home`, and nothing here knows a server.
"""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from domains.models_sending import HandedRecord, Letter

__all__ = [
    "Alias",
    "AppPassword",
    "Domain",
    "Erasure",
    "HandedRecord",
    "Invitation",
    "Letter",
    "Mailbox",
    "WayOut",
]


class Domain(models.Model):
    """A domain whose mail is ours to serve; nobody else can have it while it is here."""

    class MtaSts(models.TextChoices):
        NONE = "none", "none"
        TESTING = "testing", "testing"
        ENFORCE = "enforce", "enforce"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="domains")
    home = models.UUIDField(help_text="the server where its mail lives")
    name = models.CharField(max_length=253, unique=True, help_text="in lower case, non-ASCII as punycode")
    catch_all = models.ForeignKey(
        "Mailbox", on_delete=models.SET_NULL, null=True, blank=True, related_name="catches"
    )
    mta_sts = models.CharField(max_length=10, choices=MtaSts, default=MtaSts.TESTING)
    added_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["home", "name"], name="domain_home"),
            models.Index(fields=["account", "name"], name="domain_account"),
            models.Index(fields=["-added_at", "id"], name="domain_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class Mailboxes(models.QuerySet["Mailbox"]):
    """Asked in the same words wherever it matters which are in use."""

    def living(self) -> "Mailboxes":
        return self.filter(removed_at=None)


SLOW_PER_HOUR = 10  # recipients, while a mailbox is slowed


class Mailbox(models.Model):
    """A mailbox; its password's hash is Dovecot's, and the password itself was only ever in its owner's browser and ours for a moment.

    A removed one stays for settings.REMOVED_MAILBOX_KEPT: till then it can be had back and nobody else gets its address.
    Its id is the name of the directory in which its mail lies: who has the address later has another id, and never sees it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="mailboxes")
    local = models.CharField(max_length=64, help_text="what stands before the @, in lower case")
    name = models.CharField(max_length=120, blank=True, help_text="the person's, as senders show it")
    password = models.CharField(
        max_length=200, blank=True, help_text="hash with Dovecot's scheme; empty until the owner has chosen"
    )
    password_at = models.DateTimeField(null=True, blank=True)
    quota = models.BigIntegerField(help_text="bytes")
    per_hour = models.IntegerField(default=100, help_text="recipients")
    per_day = models.IntegerField(default=500, help_text="recipients")
    forward = models.JSONField(default=list, help_text="addresses that get every mail")
    keep_copy = models.BooleanField(default=True, help_text="whether forwarded mail also stays here")
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_why = models.CharField(max_length=200, blank=True)
    releases = models.IntegerField(default=0, help_text="how often a stop of its sending was lifted")
    slowed_at = models.DateTimeField(
        null=True, blank=True, help_text="since when few recipients an hour are taken"
    )
    slowed_why = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True, help_text="what was said before counts no more")
    vacation_subject = models.CharField(max_length=200, blank=True)
    vacation_text = models.TextField(blank=True, max_length=5000, help_text="empty: no answer is sent")
    vacation_begins = models.DateField(null=True, blank=True)
    vacation_ends = models.DateField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = Mailboxes.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "local"], name="one_mailbox_of_an_address")]
        indexes = [
            models.Index(fields=["-added_at", "id"], name="mailbox_newest"),
            models.Index(fields=["removed_at"], condition=~Q(removed_at=None), name="mailbox_removed"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain.name}"

    @property
    def gone_for_good_at(self) -> datetime | None:
        """Until when a removed mailbox can be had back."""
        return self.removed_at + settings.REMOVED_MAILBOX_KEPT if self.removed_at else None


class Erasures(models.QuerySet["Erasure"]):
    """Asked in the same words wherever it matters how far they are."""

    def undoable(self) -> "Erasures":
        return self.filter(ordered_at=None)

    def under_way(self) -> "Erasures":
        return self.exclude(ordered_at=None).filter(done_at=None)


class Erasure(models.Model):
    """Mail of a removed mailbox that a host has to delete for good, and the proof that it did.

    Till `due_at` nothing is ordered and the mailbox can be had back, from `kept`; from `ordered_at` on it cannot.
    """

    class Why(models.TextChoices):
        MAILBOX = "mailbox", "the mailbox was removed"
        DOMAIN = "domain", "its domain was removed"

    id = models.UUIDField(primary_key=True, editable=False, help_text="the mailbox's")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="erasures")
    home = models.UUIDField(help_text="the server where the mail lies")
    address = models.CharField(max_length=320)
    why = models.CharField(max_length=10, choices=Why)
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(help_text="when somebody removed the mailbox")
    due_at = models.DateTimeField()
    ordered_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True, help_text="when the host's report told of it")
    found_gone_at = models.DateTimeField(null=True, blank=True, help_text="by the host's clock")
    kept = models.TextField(
        blank=True, help_text="the mailbox with its app passwords, until nobody can have it back"
    )

    objects = Erasures.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-asked_at", "id"], name="erasure_newest"),
            models.Index(fields=["account", "-asked_at"], name="erasure_account"),
            models.Index(fields=["address"], name="erasure_address"),
            models.Index(fields=["home"], condition=Q(done_at=None), name="erasure_open"),
        ]

    def __str__(self) -> str:
        return self.address


class AppPassword(models.Model):
    """A password for one device, made by us and shown once; revoked by removing the row."""

    MOST = 8  # of a mailbox: each is one more lookup for Dovecot

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="app_passwords")
    label = models.CharField(max_length=60, help_text="the device")
    hash = models.CharField(max_length=200)
    added_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.label} of {self.mailbox_id}"


class Invitations(models.QuerySet["Invitation"]):
    """Asked in the same words wherever it matters whether a link still opens."""

    def live(self) -> "Invitations":
        now = timezone.now()
        return self.filter(used_at=None, void_at=None, expires_at__gt=now, mailbox__removed_at=None)


class Invitation(models.Model):
    """A link by mail with which the owner of a mailbox chooses its password; the token is derived anew when the letter is written."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="invitations")
    to = models.EmailField(help_text="another address of the person's")
    token_hash = models.CharField(max_length=64, unique=True)
    by = models.CharField(max_length=80)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    void_at = models.DateTimeField(null=True, blank=True, help_text="a newer one took its place")

    objects = Invitations.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "-sent_at"], name="invitation_newest"),
            models.Index(fields=["expires_at"], name="invitation_expiry"),
        ]

    def __str__(self) -> str:
        return f"to {self.to}"


class Alias(models.Model):
    """An address whose mail goes to mailboxes here or to addresses elsewhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="aliases")
    local = models.CharField(max_length=64)
    targets = models.JSONField(default=list, help_text="addresses, at least one")
    added_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "local"], name="one_alias_of_an_address")]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain.name}"


class WayOut(models.Model):
    """The customer's SES credentials for one server: the SMTP password is sealed to that server's agent, and nobody here can open it."""

    home = models.UUIDField(primary_key=True, help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ways_out")
    region = models.CharField(max_length=20)
    port = models.IntegerField(default=587, help_text="587 or 2587: Hetzner lets nothing out on 25 and 465")
    access_key = models.CharField(max_length=128)
    sealed = models.TextField(help_text="base64 of HPKE's encapsulated key and ciphertext")
    seal_key = models.CharField(max_length=64, help_text="the agent's public key that it was sealed to")
    sender = models.ForeignKey(
        Domain,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="whose name stands for mail without a sender",
    )
    added_at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["-added_at", "home"], name="way_out_newest")]

    def __str__(self) -> str:
        return f"SES {self.region}"
