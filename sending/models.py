"""The customer's own AWS account, as far as their server's mail leaves through it: keys, and what Amazon says of them.

`home` is the server's id. The secret half of a key is in the vault; nothing here can be turned into it.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from domains.models import Domain
from sending.models_watched import Suppression, Tester, Worry
from vault.models import Secret

__all__ = [
    "Credentials",
    "Feedback",
    "Identity",
    "Notice",
    "Standing",
    "Suppression",
    "Tester",
    "Topic",
    "Worry",
]


class Credentials(models.Model):
    """An access key that was pasted: tried beside the one in use, and in its place only when a mail has left by it."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", "being tried"
        IN_USE = "in_use", "in use"
        ENDED = "ended", "ended"

    class End(models.TextChoices):
        REPLACED = "replaced", "a newer key took its place"
        REMOVED = "removed", "taken away"
        DROPPED = "dropped", "given up before it was used"
        GONE = "gone", "the server is gone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credentials")
    home = models.UUIDField(help_text="the server")
    region = models.CharField(max_length=20)
    port = models.IntegerField(default=587, help_text="587 or 2587: Hetzner lets nothing out on 25 and 465")
    access_key = models.CharField(max_length=128)
    secret = models.OneToOneField(Secret, on_delete=models.PROTECT, related_name="+")
    sender = models.ForeignKey(Domain, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    refusals = models.JSONField(default=list, help_text="what keeps it from use: code and facts of each")
    aws_account = models.CharField(max_length=12, blank=True)
    arn = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=80)
    added_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="since when the server tries it")
    in_use_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=End, blank=True)

    class Meta:
        verbose_name_plural = "credentials"
        constraints = [
            models.UniqueConstraint(
                fields=["home"], condition=Q(state="candidate"), name="one_candidate_of_a_server"
            ),
            models.UniqueConstraint(fields=["home"], condition=Q(state="in_use"), name="one_key_in_use"),
        ]
        indexes = [
            models.Index(fields=["home", "-added_at"], name="credentials_home"),
            models.Index(fields=["-added_at", "id"], name="credentials_newest"),
        ]

    def __str__(self) -> str:
        return f"…{self.access_key[-4:]} in {self.region}"

    @property
    def subject(self) -> str:
        """How runs, secrets and events name it."""
        return f"credentials:{self.pk}"


class Standing(models.Model):
    """What Amazon lets the account do in the region that a server sends by, as it said last."""

    home = models.UUIDField(primary_key=True, help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=20)
    production = models.BooleanField(default=False, help_text="not in the sandbox")
    sending_enabled = models.BooleanField(default=False)
    enforcement = models.CharField(max_length=20, blank=True, help_text="HEALTHY, PROBATION or SHUTDOWN")
    review = models.CharField(max_length=20, blank=True, help_text="of the request for production")
    case_id = models.CharField(max_length=60, blank=True)
    max24 = models.FloatField(null=True, blank=True, help_text="recipients a day; empty: no limit")
    rate = models.FloatField(default=0, help_text="recipients a second")
    sent24 = models.FloatField(default=0, help_text="recipients in the last day")
    hours = models.JSONField(default=dict, help_text="whose, and sent24 as it stood in each hour of a week")
    read_at = models.DateTimeField()
    trouble = models.JSONField(null=True, blank=True, help_text="code and facts of what went wrong last")
    trouble_at = models.DateTimeField(null=True, blank=True, help_text="since when")

    class Meta:
        indexes = [models.Index(fields=["-read_at", "home"], name="standing_newest")]

    def __str__(self) -> str:
        return f"SES of {self.home}"


class Identity(models.Model):
    """A domain as SES knows it: whether mail may leave in its name, and which records prove it."""

    domain = models.OneToOneField(Domain, on_delete=models.CASCADE, primary_key=True, related_name="identity")
    region = models.CharField(max_length=20)
    verified = models.BooleanField(default=False)
    dkim_status = models.CharField(max_length=20, blank=True)
    tokens = models.JSONField(default=list)
    zone = models.CharField(max_length=100, blank=True, help_text="to which the tokens' CNAMEs lead")
    mail_from = models.CharField(max_length=253, blank=True)
    mail_from_status = models.CharField(max_length=20, blank=True)
    why = models.CharField(
        max_length=60, blank=True, help_text="what Amazon's last look at the DNS found wrong"
    )
    asked_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="stays if it is verified no longer")
    trouble = models.JSONField(null=True, blank=True, help_text="code and facts of what went wrong last")
    trouble_at = models.DateTimeField(null=True, blank=True, help_text="since when")

    class Meta:
        verbose_name_plural = "identities"
        indexes = [models.Index(fields=["-asked_at", "domain"], name="identity_newest")]

    def __str__(self) -> str:
        return f"{self.domain_id} in {self.region}"


class Topic(models.Model):
    """Where Amazon tells us of bounces and complaints of one server's mail; nothing else is heard."""

    home = models.UUIDField(primary_key=True, help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    arn = models.CharField(max_length=300)
    token = models.CharField(max_length=64, unique=True, help_text="in the address that Amazon calls")
    subscription = models.CharField(max_length=400, blank=True)
    wanted_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-wanted_at", "home"], name="topic_newest")]

    def __str__(self) -> str:
        return self.arn


class Notice(models.Model):
    """A message of Amazon's as it came, once however often it is sent; a worker says what it is worth."""

    message = models.CharField(
        max_length=100, help_text="Amazon's id; each subscription of a topic is told by the same"
    )
    home = models.UUIDField()
    body = models.TextField(blank=True, help_text="empty once it was read: it names recipients")
    received_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["home", "message"], name="notice_once")]
        indexes = [models.Index(fields=["-received_at", "id"], name="notice_newest")]

    def __str__(self) -> str:
        return self.message


class Feedback(models.Model):
    """What became of one recipient's copy of a mail; whose mailbox it left is kept, and the recipient is not."""

    class Kind(models.TextChoices):
        BOUNCE = "bounce", "bounce"
        COMPLAINT = "complaint", "complaint"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="feedback")
    number = models.IntegerField(help_text="of the recipient in the notice")
    home = models.UUIDField()
    sender = models.CharField(max_length=320, help_text="the address it left from")
    kind = models.CharField(max_length=10, choices=Kind)
    permanent = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["notice", "number"], name="feedback_once")]
        indexes = [
            models.Index(fields=["home", "sender", "-at"], name="feedback_sender"),
            models.Index(fields=["-at", "id"], name="feedback_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sender}"
