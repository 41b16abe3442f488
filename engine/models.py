"""Programs under way, what was said to them, and what went wrong with them."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Run(models.Model):
    """A program under way: which step it is at, and when that step is next due."""

    program = models.CharField(max_length=60)
    subject = models.CharField(max_length=80, help_text="what it is about, such as server:<uuid>")
    step = models.CharField(max_length=60)
    args = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text="empty once it is finished")
    lease = models.BigIntegerField(
        default=0, help_text="rises whenever a worker takes it; an older one may not settle"
    )
    held = models.BooleanField(default=False, help_text="a worker took it and has not settled")
    wakes = models.BigIntegerField(default=0, help_text="rises whenever it is woken")
    tries = models.IntegerField(default=0, help_text="how often this step was taken without an end")
    error = models.TextField(blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    step_since = models.DateTimeField(default=timezone.now)
    deadline_step = models.CharField(max_length=60, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "subject"], condition=Q(finished_at=None), name="one_live_run_of_a_program"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(finished_at=None), name="run_due"),
            models.Index(fields=["deadline_at"], condition=Q(deadline_at__isnull=False), name="run_deadline"),
            models.Index(fields=["subject", "-id"], name="run_subject"),
            models.Index(fields=["-id"], condition=Q(finished_at=None), name="run_live"),
            models.Index(fields=["-id"], condition=Q(finished_at=None) & ~Q(error=""), name="run_failing"),
            models.Index(
                F("finished_at").desc(), condition=Q(finished_at__isnull=False), name="run_finished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program} of {self.subject}"


class StepTaken(models.Model):
    """One step that came to an end: shown as progress, and the source of what is usual."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="taken")
    program = models.CharField(max_length=60)
    step = models.CharField(max_length=60)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    tries = models.IntegerField(default=1)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["program", "step", "-id"], name="taken_usual")]

    def __str__(self) -> str:
        return f"{self.program}.{self.step}"


class Signal(models.Model):
    """Something that a run waits for has happened; said once however often it is repeated."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="signals")
    name = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="signal_once")]

    def __str__(self) -> str:
        return self.name


class Alarm(models.Model):
    """Something that a person should look at; open until its cause is gone, and never twice for one cause."""

    key = models.CharField(max_length=160)
    subject = models.CharField(max_length=80)
    says = models.TextField()
    advice = models.TextField(blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at=None), name="one_open_alarm")
        ]
        indexes = [models.Index(fields=["subject", "-id"], name="alarm_subject")]

    def __str__(self) -> str:
        return self.says
