"""Who: people, the accounts they belong to, the links they sign in by, and the letters we send them.

What stands open about a person or an account, such as an invitation, is in `accounts/open.py`.
"""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class People(BaseUserManager["User"]):
    """Addresses are kept in lower case, so that nobody exists twice."""

    def create_user(self, email: str, **fields: object) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by an address of theirs; there are no passwords."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    signed_out_at = models.DateTimeField(
        null=True, blank=True, help_text="everywhere; a session without a row of ours is of no use since then"
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = People()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_person_an_address")]

    def __str__(self) -> str:
        return self.email


class Account(models.Model):
    """The customer: what is bought, owned and answered for together by its people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)
    people = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        indexes = [models.Index(fields=["-created_at", "id"], name="account_newest")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's part in an account."""

    class Role(models.TextChoices):
        OWNER = "owner", "owner"
        MEMBER = "member", "member"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.OWNER)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="once_in_an_account")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class SignInLinks(models.QuerySet["SignInLink"]):
    """Asked in the same words wherever it matters whether a link still opens."""

    def unspent(self) -> "SignInLinks":
        return self.filter(used_at=None, void_at=None, expires_at__gt=timezone.now())

    def live(self) -> "SignInLinks":
        return self.unspent().filter(tries__lt=SignInLink.MOST_TRIES)


class SignInLink(models.Model):
    """A way in, by mail, once. The token itself is kept nowhere: it is derived anew when the letter is written."""

    MOST_TRIES = 5

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    token_hash = models.CharField(max_length=64, unique=True)
    code_hash = models.CharField(max_length=64)
    browser_hash = models.CharField(
        max_length=64, blank=True, help_text="of the cookie of the browser that asked"
    )
    goes_to = models.CharField(max_length=200, blank=True)
    tries = models.IntegerField(default=0, help_text="wrong codes typed")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    void_at = models.DateTimeField(null=True, blank=True, help_text="a newer one took its place")

    objects = SignInLinks.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["email", "-created_at"], name="link_newest"),
            models.Index(fields=["browser_hash", "-created_at"], name="link_browser"),
            models.Index(fields=["expires_at"], name="link_expiry"),
        ]

    def __str__(self) -> str:
        return f"for {self.email}"

    @property
    def is_live(self) -> bool:
        """As `live()` says of rows."""
        spent = self.used_at or self.void_at or self.tries >= self.MOST_TRIES
        return not spent and self.expires_at > timezone.now()


class Sessions(models.QuerySet["Session"]):
    def live(self) -> "Sessions":
        return self.filter(ended_at=None, expires_at__gt=timezone.now())


class Session(models.Model):
    """A browser in which somebody is signed in. Its id stands in the browser's session; without the row that is worth nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device_hash = models.CharField(
        max_length=64, blank=True, help_text="of the cookie that marks the browser"
    )
    browser = models.CharField(max_length=40, blank=True, help_text="as the browser says of itself")
    system = models.CharField(max_length=40, blank=True, help_text="likewise")
    address = models.CharField(max_length=45, blank=True, help_text="of the network, when last seen")
    country = models.CharField(max_length=2, blank=True, help_text="if the proxy in front tells it")
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Sessions.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "-seen_at"], name="session_of"),
            models.Index(fields=["user", "device_hash"], name="session_device"),
            models.Index(fields=["expires_at"], name="session_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.browser} on {self.system} of {self.user_id}"

    @property
    def is_live(self) -> bool:
        """As `live()` says of rows."""
        return self.ended_at is None and self.expires_at > timezone.now()


class Letter(models.Model):
    """A mail of ours; written down before it is sent, and rendered only when it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=160, unique=True, help_text="what makes it the same letter when said twice"
    )
    kind = models.CharField(max_length=60, help_text="the template: templates/letters/<kind>.txt and .html")
    to = models.EmailField()
    account_id = models.UUIDField(null=True, blank=True)
    context = models.JSONField(default=dict, help_text="ids and words for the template; never a secret")
    written_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped = models.CharField(max_length=200, blank=True, help_text="why it will never be sent")

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "-written_at"], name="letter_account"),
            models.Index(fields=["kind", "written_at"], name="letter_kind"),
            models.Index(fields=["-written_at", "-id"], name="letter_newest"),
            models.Index(fields=["to", "-written_at"], name="letter_to"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"


import accounts.open  # noqa: E402, F401  Django looks for tables here
