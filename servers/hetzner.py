"""The fleet's Hetzner project: one client a process, the firewall's ports, and a pause that all workers share."""

from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from clients.errors import ClientError, TryLater
from clients.hetzner_cloud import HetznerCloud
from servers.models import Pause

FIREWALL = "mailat-mail"
# SMTP, HTTP for certificates, HTTPS, submission twice, IMAP and ManageSieve. Port 22 is not among them.
PORTS = ("25", "80", "443", "465", "587", "993", "4190")
LABELS = {"managed-by": "mailat"}
OURS = "managed-by=mailat"


@lru_cache(maxsize=1)
def _client(token: str, url: str) -> HetznerCloud:
    return HetznerCloud(token=token, url=url)


def cloud() -> HetznerCloud:
    """The client, unless Hetzner asked us a moment ago to slow down; then TryLater."""
    pause = Pause.objects.filter(name="hetzner", until__gt=timezone.now()).first()
    if pause:
        raise TryLater("Hetzner asked us to slow down", code="rate_limit_exceeded", retry_after=pause.left())
    return _client(settings.HETZNER_TOKEN, settings.HETZNER_API_URL)


def note_failure(error: Exception) -> None:
    """After a rate limit every worker pauses, not only the one that met it."""
    if not isinstance(error, ClientError) or error.code != "rate_limit_exceeded":
        return
    until = timezone.now() + timedelta(seconds=getattr(error, "retry_after", 30))
    Pause.objects.update_or_create(name="hetzner", defaults={"until": until})
