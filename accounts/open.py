"""What stands open about people until somebody answers: invitations, changes of address, recoveries."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account, Membership, User


class Invitations(models.QuerySet["Invitation"]):
    def unanswered(self) -> "Invitations":
        """Also those that are too old, which can be sent again."""
        return self.filter(accepted_at=None, declined_at=None, withdrawn_at=None)

    def live(self) -> "Invitations":
        return self.unanswered().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """Somebody is asked to take part in an account; only who signs in with that address can accept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(default=timezone.now)
    sent = models.IntegerField(default=1, help_text="how often")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = Invitations.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                name="invited_once",
            )
        ]
        indexes = [models.Index(fields=["email"], name="invitation_email")]

    def __str__(self) -> str:
        return f"of {self.email}"

    @property
    def is_live(self) -> bool:
        """As `live()` says of rows."""
        answered = self.accepted_at or self.declined_at or self.withdrawn_at
        return not answered and self.expires_at > timezone.now()


class AddressChange(models.Model):
    """A person wants to be reached elsewhere: both ends say yes, or the old one may say no for a week."""

    class Outcome(models.TextChoices):
        DONE = "done", "done"
        CALLED_OFF = "called off", "called off"
        EXPIRED = "expired", "expired"
        TAKEN = "taken", "taken"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="address_changes")
    old = models.EmailField()
    new = models.EmailField()
    old_lost = models.BooleanField(default=False, help_text="nobody reads the old address any more")
    session = models.UUIDField(null=True, help_text="the session that asked, which goes on")
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    new_confirmed_at = models.DateTimeField(null=True, blank=True)
    old_confirmed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="one_address_change_at_once"
            )
        ]

    def __str__(self) -> str:
        return f"from {self.old} to {self.new}"


class RecoveryAddress(models.Model):
    """A second address that a person reads; it says yes or no to a recovery and to nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_addresses")
    email = models.EmailField()
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="until when it can be confirmed")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(removed_at=None, confirmed_at__isnull=False),
                name="one_recovery_address",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(removed_at=None, confirmed_at=None),
                name="one_recovery_address_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} of {self.user_id}"


class Recovery(models.Model):
    """Somebody says that they lost their second factor. Whose address it is, is looked up by a worker and not while they wait."""

    class Outcome(models.TextChoices):
        DONE = "done", "done"
        NOBODY = "nobody", "nobody"
        NO_WAY = "no way", "no way"
        STOPPED = "stopped", "stopped"
        EXPIRED = "expired", "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(help_text="as it was typed")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="recoveries")
    second = models.EmailField(blank=True, help_text="the recovery address when it was asked for")
    network = models.CharField(max_length=45, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    first_confirmed_at = models.DateTimeField(null=True, blank=True)
    second_confirmed_at = models.DateTimeField(null=True, blank=True)
    vouched_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    vouched_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="one_recovery_at_once")
        ]
        indexes = [models.Index(fields=["ended_at"], name="recovery_ended")]

    def __str__(self) -> str:
        return f"of {self.email}"
