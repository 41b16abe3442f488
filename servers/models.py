"""The fleet: what should exist, what its agents say, and what is to be destroyed when."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from servers.changes import PlanChange, Suspension

__all__ = [
    "Agent", "Destruction", "Firewall", "Image", "Metric", "Pause", "PlanChange", "Replacement", "Server", "Suspension",
    "ThinMetric",
]  # fmt: skip


def every_day() -> list[int]:
    """The days of a week."""
    return list(range(7))


class Server(models.Model):
    """A mail server that somebody wants; the rows of programs say how far it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="servers")
    name = models.CharField(max_length=40, help_text="the first part of its host name")
    plan = models.CharField(max_length=20)
    place = models.CharField(max_length=10, help_text="Hetzner's name of the location")
    wanted_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    machine_id = models.BigIntegerField(null=True, blank=True, unique=True, help_text="Hetzner's id")
    machine_type = models.CharField(max_length=20, blank=True)
    ipv4 = models.GenericIPAddressField(null=True, blank=True, protocol="IPv4")
    ipv6 = models.GenericIPAddressField(null=True, blank=True, protocol="IPv6")
    enrolment_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the one-time token")
    watched_until = models.DateTimeField(
        null=True, blank=True, help_text="somebody is looking: reports come faster"
    )
    reboot_days = models.JSONField(default=every_day, help_text="when it may reboot: 0 is Monday, in UTC")
    reboot_hour = models.IntegerField(default=3, help_text="the first hour of the window, in UTC")
    reboot_hours = models.IntegerField(default=2, help_text="the length of the window")
    rebuilding_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="it moves to another machine, or its own becomes another one, and it is not back yet",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(gone_at=None), name="one_living_server_of_a_name"
            )
        ]
        indexes = [
            models.Index(fields=["account", "-wanted_at"], name="server_account"),
            models.Index(fields=["-wanted_at", "id"], name="server_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """How runs, alarms and events name it."""
        return f"server:{self.pk}"

    @property
    def machine_name(self) -> str:
        """Its name at Hetzner, unique in a project, made of our id."""
        return f"mailat-{self.pk}"


class Agent(models.Model):
    """The agent on a server: its secret's hash, what it should be, and what it said last.

    Written every minute, so no index holds what a report changes: then Postgres rewrites the row in its page and no index.
    """

    server = models.OneToOneField(Server, on_delete=models.CASCADE, primary_key=True, related_name="agent")
    key_hash = models.CharField(max_length=64, help_text="SHA-256 of the agent's bearer secret")
    seal_key = models.CharField(max_length=64, help_text="base64 of its X25519 public key")
    facts = models.JSONField(default=dict)
    enrolled_at = models.DateTimeField(default=timezone.now)
    desired_version = models.IntegerField(default=0)
    desired_body = models.TextField(blank=True)
    desired_key = models.CharField(max_length=32, blank=True)
    desired_signature = models.CharField(max_length=100, blank=True)
    applied_version = models.IntegerField(default=0)
    applied_as_of = models.DateTimeField(
        null=True, blank=True, help_text="what was wanted at this time is in force"
    )
    reported_at = models.DateTimeField(null=True, blank=True)
    report = models.JSONField(default=dict)
    health = models.CharField(
        max_length=10, default="healthy", choices=[(w, w) for w in ("healthy", "late", "lost")]
    )
    troubles = models.JSONField(
        default=list, help_text="what the last reports complain of, see servers/troubles.py"
    )

    def __str__(self) -> str:
        return f"agent of {self.server_id}"


class Metric(models.Model):
    """One report's figures, kept raw for a day. The table is partitioned by day, see the migration."""

    pk = models.CompositePrimaryKey("server_id", "at")
    server = models.ForeignKey(Server, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    at = models.DateTimeField()
    cpu = models.FloatField(null=True, help_text="percent of all cores")
    memory = models.FloatField(null=True, help_text="percent used")
    disk = models.FloatField(null=True, help_text="percent used of /")
    load = models.FloatField(null=True, help_text="load average of a minute")
    received = models.FloatField(null=True, help_text="bytes a second")
    sent = models.FloatField(null=True, help_text="bytes a second")
    canary = models.FloatField(null=True, help_text="seconds that a mail took, out and back")

    class Meta:
        managed = False
        db_table = "servers_metric"


class ThinMetric(models.Model):
    """Ten minutes of figures as one mean, kept for a month."""

    pk = models.CompositePrimaryKey("server_id", "at")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, db_index=False)
    at = models.DateTimeField(help_text="the beginning of the ten minutes")
    cpu = models.FloatField(null=True)
    memory = models.FloatField(null=True)
    disk = models.FloatField(null=True)
    load = models.FloatField(null=True)
    received = models.FloatField(null=True)
    sent = models.FloatField(null=True)
    canary = models.FloatField(null=True)


class Destruction(models.Model):
    """A server will be destroyed: since when that is so, who said it, and on which day. Coming back removes the row."""

    server = models.OneToOneField(
        Server, on_delete=models.CASCADE, primary_key=True, related_name="destruction"
    )
    said_at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)
    reason = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    extended_days = models.IntegerField(default=0, help_text="by so many days staff moved it")
    warned_days = models.IntegerField(
        null=True, blank=True, help_text="the last letter before the day was that of so many days before"
    )
    begun_at = models.DateTimeField(null=True, blank=True, help_text="from here on there is no way back")
    answers = models.JSONField(
        default=list, help_text="what was removed, when, and what the provider answered"
    )

    class Meta:
        indexes = [models.Index(fields=["-due_at", "-server"], name="destruction_latest")]

    def __str__(self) -> str:
        return f"destruction of {self.server_id}"


class Replacement(models.Model):
    """A server comes back from its backups on another machine; the one before it is kept until that is proven."""

    class State(models.TextChoices):
        UNDER_WAY = "under way", "under way"
        SETTLED = "settled", "the old machine is being deleted"
        GOING_BACK = "going back", "going back to the old machine"
        DONE = "done", "done"
        BACK = "back", "back on the old machine"
        ENDED = "ended", "ended with its server"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="replacements")
    state = models.CharField(max_length=12, choices=State, default=State.UNDER_WAY)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(default=timezone.now)
    wish = models.CharField(max_length=64, blank=True, help_text="a restore point; empty: the newest")
    plan = models.CharField(max_length=20, blank=True, help_text="the new machine's, where it is another")
    old_plan = models.CharField(max_length=20, blank=True)
    point = models.CharField(max_length=64, blank=True, help_text="the one that was taken")
    point_at = models.DateTimeField(null=True, blank=True)
    messages = models.BigIntegerField(null=True, blank=True, help_text="in that point")
    lost_since = models.DateTimeField(
        null=True, blank=True, help_text="what came later is in no backup; empty: everything is"
    )
    last_backup = models.UUIDField(null=True, blank=True, help_text="the job, with mail closed")
    restore = models.UUIDField(null=True, blank=True, help_text="the job on the new machine")
    restored = models.BigIntegerField(
        null=True, blank=True, help_text="messages, as the new machine counted them"
    )
    why = models.CharField(max_length=300, blank=True, help_text="what went wrong, for the page")
    old_machine = models.BigIntegerField(null=True, blank=True, help_text="Hetzner's id; empty: it is gone")
    old_type = models.CharField(max_length=20, blank=True)
    old_ipv4 = models.GenericIPAddressField(null=True, blank=True, protocol="IPv4")
    old_ipv6 = models.GenericIPAddressField(null=True, blank=True, protocol="IPv6")
    old_agent = models.JSONField(null=True, blank=True, help_text="the columns of its agent's row")
    retired_at = models.DateTimeField(
        null=True, blank=True, help_text="since when the old machine is off and its agent does not count"
    )
    addresses = models.JSONField(default=dict, blank=True, help_text="kept at Hetzner: their ids by kind")
    queued = models.IntegerField(default=0, help_text="mails that waited to leave, on the old machine alone")
    served_at = models.DateTimeField(null=True, blank=True, help_text="when mail was served again")
    release_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="when the old machine is deleted, where not all of it was in the backup",
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(finished_at=None), name="one_living_replacement"
            )
        ]
        indexes = [models.Index(fields=["server", "-id"], name="replacement_of")]

    def __str__(self) -> str:
        return f"replacement of {self.server_id}"

    @property
    def old_name(self) -> str:
        """What the old machine is called at Hetzner meanwhile; a project has each name once."""
        return f"mailat-{self.server_id}-before-{self.pk}"


class Firewall(models.Model):
    """The firewall at Hetzner that every machine is created behind."""

    name = models.CharField(max_length=60, primary_key=True)
    firewall_id = models.BigIntegerField()

    def __str__(self) -> str:
        return self.name


class Image(models.Model):
    """A snapshot at Hetzner with the whole mail system on it, as we heard of it last."""

    image_id = models.BigIntegerField(primary_key=True, help_text="Hetzner's id")
    version = models.CharField(max_length=20, help_text="short hash of the installer")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.version}, {self.made_at:%Y-%m-%d}"


class Pause(models.Model):
    """An outside service asked us to slow down: no worker calls it before `until`."""

    name = models.CharField(max_length=20, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%H:%M:%S}"

    def left(self) -> float:
        """Seconds until then, at least one."""
        return max(1.0, (self.until - timezone.now()).total_seconds())
