"""The door for Gumroad's pings: kept as they came, answered at once, and read later by a program.

Gumroad waits five seconds, tries again after 499, 500 and 502 to 504 only, and gives a ping up for good on any 3xx or other 4xx
(`app/sidekiq/post_to_individual_ping_endpoint_worker.rb` in https://github.com/antiwork/gumroad). So nothing about the ping's
content can lead to anything but 200, and only a ping that could not be kept is answered 503.
"""

import logging

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from billing import actions
from billing.pings import MOST_BYTES

log = logging.getLogger("billing")


@csrf_exempt
def gumroad(request: HttpRequest, secret: str) -> HttpResponse:
    """200 once the ping is kept, 503 if it could not be; 404 for whoever does not know the secret."""
    if not _is_known(secret):
        return HttpResponse(status=404)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        actions.keep_ping(body=_body(request), content_type=request.META.get("CONTENT_TYPE", ""))
    except (Error, OSError) as error:
        log.error("a ping could not be kept: %s", type(error).__name__)
        return HttpResponse("Not kept, please send it again.\n", status=503, content_type="text/plain")
    return HttpResponse("Kept.\n", content_type="text/plain")


def _is_known(secret: str) -> bool:
    """Compared with the one before, too, whichever it is; an empty one opens nothing."""
    right = (settings.GUMROAD_WEBHOOK_SECRET, settings.GUMROAD_WEBHOOK_SECRET_BEFORE)
    found = [constant_time_compare(secret, one) for one in right if one]
    return any(found)


def _body(request: HttpRequest) -> bytes:
    """The ping's bytes, or the beginning of what is too long to be one. Raises OSError if it broke off."""
    body: bytes = _stream(request).read(MOST_BYTES)
    told = request.META.get("CONTENT_LENGTH") or ""
    if told.isdigit() and len(body) < min(int(told), MOST_BYTES):
        raise ConnectionAbortedError("the ping broke off")
    return body


def _stream(request: HttpRequest):  # type: ignore[no-untyped-def]
    """The server's own stream where it ends by itself: Django's takes a body without a told length for an empty one."""
    return request.META["wsgi.input"] if request.META.get("wsgi.input_terminated") else request
