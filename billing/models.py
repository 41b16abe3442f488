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

    class Returned(models.TextChoices):
        """What may become of a charge's money."""

        REFUNDED = "refunded", "given back"
        DISPUTED = "disputed", "disputed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gumroad_id = models.CharField(max_length=80, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    server = models.OneToOneField(
        Server, null=True, blank=True, on_delete=models.SET_NULL, related_name="subscription"
    )
    email = models.EmailField(help_text="as it was typed at the checkout; of a gift, the receiver's")
    gumroad_email = models.EmailField(blank=True, help_text="as Gumroad knows the buyer today")
    plan = models.CharField(max_length=20, help_text="what the newest charge was for")
    next_plan = models.CharField(
        max_length=20, blank=True, help_text="announced; nothing follows before its charge"
    )
    next_plan_at = models.DateTimeField(
        null=True, blank=True, help_text="when Gumroad means to charge for it"
    )
    recurrence = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ALIVE)
    began_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="the end that was announced")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=60, blank=True)
    charged_at = models.DateTimeField(
        null=True, blank=True, help_text="when the newest sale that we know was made"
    )
    returned = models.CharField(max_length=10, choices=Returned, blank=True, help_text="of the newest charge")
    returned_at = models.DateTimeField(
        null=True, blank=True, help_text="when we heard that it was given back"
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


class Reconciliation(models.Model):
    """One comparison of what we hold with what Gumroad's API tells: the receipt of it."""

    by = models.CharField(max_length=80)
    since = models.DateField(null=True, blank=True, help_text="sales from this day on; all if there is none")
    puzzled_since = models.DateField(
        null=True,
        blank=True,
        help_text="of the oldest sale of ours that needs a person, so that it is read again",
    )
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    sales = models.PositiveIntegerField(default=0, help_text="read from the list")
    subscriptions = models.PositiveIntegerField(default=0, help_text="asked about one by one")
    repaired = models.PositiveIntegerField(default=0, help_text="were not as Gumroad tells")
    puzzling = models.PositiveIntegerField(default=0, help_text="need a person; each has its alarm")
    error = models.CharField(max_length=500, blank=True, help_text="why it waits, or why it was given up")

    class Meta:
        indexes = [models.Index(fields=["-began_at", "-id"], name="reconciliation_newest")]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"

    @property
    def subject(self) -> str:
        """How alarms and events name it."""
        return f"reconciliation:{self.pk}"

    def in_words(self) -> str:
        """The receipt as one line."""
        ended = f"ended {self.ended_at:%Y-%m-%d %H:%M} UTC" if self.ended_at else "is under way"
        read = f"{self.sales} sales and {self.subscriptions} subscriptions read"
        found = f"{self.repaired} repaired, {self.puzzling} for a person"
        trouble = f"; {self.error}" if self.error else ""
        return f"Began {self.began_at:%Y-%m-%d %H:%M} UTC, {ended}: {read}, {found}{trouble}."
