"""What may change about a server while it lives: its plan, and whether its mail may leave. Part of servers/models.py."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class PlanChange(models.Model):
    """A server becomes one of another plan: since when that is wanted, when it is done, and what keeps it."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for its time"
        UNDER_WAY = "under way", "under way"
        DONE = "done", "done"
        WITHDRAWN = "withdrawn", "the plan before it is paid for again"
        ENDED = "ended", "ended with its server"

    server = models.ForeignKey("servers.Server", on_delete=models.CASCADE, related_name="plan_changes")
    before = models.CharField(max_length=20, help_text="the plan that the server is of")
    after = models.CharField(max_length=20, help_text="the plan that is paid for")
    wanted_at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)
    at = models.DateTimeField(help_text="when it begins")
    chosen = models.BooleanField(default=False, help_text="a person chose that time")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    why = models.CharField(max_length=20, blank=True, help_text="what kept it last, see servers/resizing.py")
    failures = models.IntegerField(default=0, help_text="how often it was tried and could not be done")
    following = models.CharField(
        max_length=20, blank=True, help_text="a plan that was paid for while this one was under way"
    )
    old_type = models.CharField(max_length=20, blank=True, help_text="Hetzner's, before")
    backup = models.UUIDField(null=True, blank=True, help_text="the job, just before")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="when the machine was first touched")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(finished_at=None), name="one_living_plan_change"
            )
        ]
        indexes = [models.Index(fields=["server", "-id"], name="plan_change_of")]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"


class Suspension(models.Model):
    """Nothing leaves a server: since when, who said so and why, and who ended it."""

    server = models.ForeignKey("servers.Server", on_delete=models.CASCADE, related_name="suspensions")
    since = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)
    reason = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(ended_at=None), name="one_living_suspension"
            )
        ]
        indexes = [models.Index(fields=["server", "-id"], name="suspension_of")]

    def __str__(self) -> str:
        return f"suspension of {self.server_id}"
