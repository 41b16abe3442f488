"""Somebody who has lost their second factor, and what they do about it."""

from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from accounts import recovery_address
from accounts.models import User
from accounts.open import Recovery
from tests.accounts.passing import press, way_in, work

FIRST, SECOND = "alice@example.test", "second@elsewhere.test"


def set_second(user: User, email: str = SECOND) -> None:
    recovery_address.ask(user=user, email=email, by=f"user:{user.pk}")
    assert press(way_in("recovery_address_confirm", email)) == 200


def lost(email: str = FIRST) -> str:
    """Somebody says so on the page for everybody; a worker looks who it is. Returns what the page says."""
    cache.clear()
    answer = Client().post("/recover", {"email": email})
    work()
    assert answer.status_code == 200
    return answer.content.decode().replace(email, "…")


def say_yes(to: str) -> int:
    status = press(way_in("recover_confirm", to), do="yes")
    work()
    return status


def has_factor() -> bool:
    return Authenticator.objects.exists()


def state() -> str:
    return Recovery.objects.order_by("-asked_at")[0].outcome
