"""Where a person who was let to an export is sent on to the storage: the pages cannot sign for it, and the gate shows no page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.views.decorators.http import require_safe

from backups import exports
from clients.errors import ClientError

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@require_safe
def fetch(request: HttpRequest, word: str) -> HttpResponse:
    """Who has the word was let through by our page a minute ago at most; whoever is late goes back to that page."""
    try:
        export, is_good = exports.opened(word)
    except exports.BadLink:
        return HttpResponseNotFound("There is nothing here.", content_type="text/plain", headers=HEADERS)
    if export is None:
        return _back(settings.BASE_URL + "/overview")
    if not is_good:
        return _back(f"{settings.BASE_URL}/servers/{export.repository_id}/exports?again")
    try:
        return HttpResponseRedirect(exports.address(export), headers=HEADERS)
    except ClientError:
        return _back(f"{settings.BASE_URL}/servers/{export.repository_id}/exports?away")


def _back(page: str) -> HttpResponse:
    return HttpResponseRedirect(page, headers=HEADERS)
