"""Where somebody may be sent after signing in: to a path of this site and to nowhere else."""

from allauth.account.adapter import get_adapter
from django.conf import settings

LONGEST = 200


def safe_path(given: str) -> str:
    """The path, or nothing if it leads away, is no path, or is longer than a link's row keeps."""
    is_path = given.startswith("/") and given.isprintable() and len(given) <= LONGEST
    return given if is_path and get_adapter().is_safe_url(given) else ""


def arrival(path: str) -> str:
    return path or settings.LOGIN_REDIRECT_URL
