"""Second factors for the people of the tests, and sessions that were proved as a person proves them."""

import base64
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.test import Client

from accounts.mfa import PERIOD, Adapter, has_second_factor
from accounts.models import User
from accounts.stepup import BY_FACTOR, BY_MAIL, RECORDS, proved

SECRET = base64.b32encode(b"a secret for tests!!").decode()


def give_app(user: User, secret: str = SECRET) -> Authenticator:
    """An app for codes, as if it had been set up long ago."""
    data = {"secret": Adapter().encrypt(secret), "period": 0}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def code_of(secret: str = SECRET, periods: int = 0) -> str:
    """What the app shows, now or some periods later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + periods))


@receiver(user_logged_in)
def as_signing_in_does(request: HttpRequest, user: User, **_: Any) -> None:
    """`force_login` makes a request out of nothing; whoever comes in by a real one has shown something."""
    if request.method is None:
        proved(request, user, BY_FACTOR if has_second_factor(user) else BY_MAIL)


def age(client: Client, seconds: float = 3600) -> None:
    """Lets time pass since the person of this browser last showed who they are."""
    session = client.session
    session[RECORDS] = [one | {"at": one["at"] - seconds} for one in session[RECORDS]]
    session.save()


def forget_factor(client: Client) -> None:
    """A session as it was before second factors were asked for."""
    session = client.session
    session[RECORDS] = [one for one in session[RECORDS] if one["method"] != BY_FACTOR]
    session.save()
