"""What comes of watching an account at Amazon: worries that its owners are told of, and what they asked to see or to prove."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account


class Worry(models.Model):
    """Something about a server's sending that its owners should know; open until it is over, once for each code."""

    home = models.UUIDField(help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    began_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True, help_text="when a letter was written")
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "worries"
        constraints = [
            models.UniqueConstraint(fields=["home", "code"], condition=Q(over_at=None), name="one_open_worry")
        ]
        indexes = [models.Index(fields=["-began_at", "id"], name="worry_newest")]

    def __str__(self) -> str:
        return f"{self.code} of {self.home}"


class Suppression(models.Model):
    """Amazon's list of those to whom it no longer sends, fetched because an owner asked; it names people, so it goes soon."""

    home = models.UUIDField(primary_key=True, help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    entries = models.JSONField(default=list, help_text="address, reason and when of each")
    more = models.BooleanField(default=False, help_text="Amazon's list is longer")
    trouble = models.JSONField(null=True, blank=True, help_text="code and facts of why it could not be read")

    class Meta:
        indexes = [models.Index(fields=["-asked_at", "home"], name="suppression_newest")]

    def __str__(self) -> str:
        return f"suppression list of {self.home}"


class Tester(models.Model):
    """An address that proves itself to Amazon by a letter of Amazon's, so that a sandbox lets mail go there."""

    home = models.UUIDField(help_text="the server")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=20)
    address = models.CharField(max_length=320)
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    trouble = models.JSONField(null=True, blank=True, help_text="code and facts of what went wrong last")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["home", "address"], name="tester_once")]
        indexes = [models.Index(fields=["-asked_at", "id"], name="tester_newest")]

    def __str__(self) -> str:
        return self.address
