"""The cookie that tells the browser that asked for a link from every other: sent along from a mail, read by no script."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

NAME = "__Host-asked" if settings.OVER_TLS else "asked"
SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def nonce(request: HttpRequest) -> str:
    """What this browser was given when it asked, or nothing."""
    given = request.COOKIES.get(NAME, "")
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
