"""Money: what Gumroad told us, word for word, and what it means for a subscription."""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Account
from servers.models import Server


class Ping(models.Model):
    """What Gumroad posted, kept as it came before anything is made of it."""

    class Became(models.TextChoices):
        NEW = "new", "not read yet"
        APPLIED = "applied", "applied"
        IGNORED = "ignored", "nothing to do"
        PUZZLING = "puzzling", "needs a person"

    body = models.BinaryField()
    content_type = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=40, blank=True, help_text="resource_name")
    about = models.CharField(max_length=120, blank=True, help_text="sale or subscription id")
    subscription = models.ForeignKey(
        "Subscription",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="pings",
        help_text="which it turned out to be about, as the API said",
    )
    became = models.CharField(max_length=10, choices=Became, default=Became.NEW)
    note = models.CharField(max_length=300, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="ping_newest"),
            models.Index(fields=["about"], name="ping_about"),
            models.Index(
                fields=["-id"], condition=models.Q(became__in=["new", "puzzling"]), name="ping_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind or 'ping'} {self.pk}"

    @property
    def subject(self) -> str:
        """How runs, alarms and events name it."""
        return f"ping:{self.pk}"


class Subscription(models.Model):
    """What somebody pays for, as Gumroad's API told it last."""

    class Status(models.TextChoices):
        ALIVE = "alive", "paid"
        ENDING = "ending", "cancelled, paid until its end"
        ENDED = "ended", "ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gumroad_id = models.CharField(max_length=80, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    server = models.OneToOneField(
        Server, null=True, blank=True, on_delete=models.SET_NULL, related_name="subscription"
    )
    email = models.EmailField(help_text="as Gumroad knows the buyer")
    plan = models.CharField(max_length=20)
    recurrence = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ALIVE)
    began_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="the end that was announced")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=60, blank=True)
    charged_at = models.DateTimeField(
        null=True, blank=True, help_text="when the newest sale that we know was made"
    )
    checked_at = models.DateTimeField(default=timezone.now, help_text="when Gumroad was last asked")

    class Meta:
        indexes = [
            models.Index(fields=["account", "-began_at"], name="subscription_account"),
            models.Index(fields=["-began_at", "-id"], name="subscription_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} of {self.email}"

    @property
    def subject(self) -> str:
        """How alarms and events name it."""
        return f"subscription:{self.pk}"
