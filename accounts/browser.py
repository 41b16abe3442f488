"""Cookies that tell one browser from every other, read by no script: the one that asked for a link, and one that was here before."""

import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

NAME = "__Host-asked" if settings.OVER_TLS else "asked"
DEVICE = "__Host-device" if settings.OVER_TLS else "device"
SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def nonce(request: HttpRequest) -> str:
    """What this browser was given when it asked, or nothing."""
    return _given(request, NAME)


def _given(request: HttpRequest, name: str) -> str:
    given = request.COOKIES.get(name, "")
    return given if SHAPE.fullmatch(given) else ""


def new_nonce() -> str:
    return secrets.token_urlsafe(32)


def remember(response: HttpResponse, nonce: str) -> None:
    """Lax and not Strict: a Strict cookie does not come along from webmail."""
    response.set_cookie(
        NAME,
        nonce,
        max_age=2 * settings.SIGN_IN_LINK_LIFE,
        secure=settings.OVER_TLS,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse) -> None:
    response.delete_cookie(NAME, samesite="Lax")


def device(request: HttpRequest) -> str:
    """What this browser was given when somebody first signed in in it, or nothing."""
    return _given(request, DEVICE)


def remember_device(response: HttpResponse, mark: str, kept: timedelta) -> None:
    """It opens nothing: it only keeps us from calling a browser new that is not."""
    response.set_cookie(DEVICE, mark, max_age=kept, secure=settings.OVER_TLS, httponly=True, samesite="Lax")
