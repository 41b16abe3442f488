"""Pages that belong to no room."""

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 if this process can reach its database; the proxy and the container ask."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def signing_keys(request: HttpRequest) -> HttpResponse:
    """Our public keys in PEM, with which anybody can check a receipt."""
    return HttpResponse(
        Path(settings.SIGNING_PUBLIC_KEYS_FILE).read_bytes(), content_type="application/x-pem-file"
    )


def nothing(request: HttpRequest) -> HttpResponse:
    """Stands before a page of somebody else's that would mislead. Raises Http404."""
    raise Http404
