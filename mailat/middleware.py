"""What every request passes: the client's address, a reference for the log, the short way of machines, and a page's headers."""

import logging
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders
from django.urls import Resolver404, resolve

from audit.context import about
from mailat.client_address import came_past_cloudflare, client_address, trust
from mailat.guesses import Guesses

log = logging.getLogger("mailat.request")
Handler = Callable[[HttpRequest], HttpResponse]
guesses = Guesses()

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
# Unfold draws with Alpine, which makes functions of attributes: docs/adr/0022.
STAFF_POLICY = PAGE_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "idle-detection", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join(f"{name}=()" for name in UNUSED)
SAFE_REFERENCE = re.compile(r"[A-Za-z0-9-]{8,64}")


def true_address(handler: Handler) -> Handler:
    """Puts the client's own address where Django, allauth and every limit look for it, and so decides it once.

    The country is told beside it, so it is believed of the same.
    """
    trusted = trust(settings.TRUSTED_PROXIES, tuple(settings.CLOUDFLARE_RANGES))

    def handle(request: HttpRequest) -> HttpResponse:
        if came_past_cloudflare(request.META, trusted):
            request.META.pop(HttpHeaders.to_wsgi_name(settings.COUNTRY_HEADER), None)
        request.META["REMOTE_ADDR"] = client_address(request.META, trusted)
        return handler(request)

    return handle


def readable(handler: Handler) -> Handler:
    """What cannot be read is as if it were not sent: a cookie with a NUL that no database takes, an address that is none."""

    def handle(request: HttpRequest) -> HttpResponse:
        for name in ADDRESSES:
            if not _is_address(request.META.get(name, "")):
                del request.META[name]
        if "HTTP_COOKIE" in request.META:
            cookies = request.COOKIES.items()
            request.COOKIES = {name: value for name, value in cookies if not CONTROL.search(value)}
        return handler(request)

    return handle


ADDRESSES = ("HTTP_REFERER", "HTTP_HX_CURRENT_URL")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return not CONTROL.search(text)


def request_log(handler: Handler) -> Handler:
    """Logs the route and never the path, because a path may hold a sign-in token or the webhook's secret."""

    def handle(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        reference = given if SAFE_REFERENCE.fullmatch(given) else uuid4().hex[:16]
        request.reference = reference  # type: ignore[attr-defined]
        began = time.monotonic()
        with about(request=reference):
            response = handler(request)
            if _is_told(request, response):
                _write(request, response, time.monotonic() - began)
        response["X-Request-ID"] = reference
        return response

    return handle


def _is_told(request: HttpRequest, response: HttpResponse) -> bool:
    """What goes well and often is not, nor is what a guesser would fill the log with."""
    if response.status_code >= 400:
        return not hasattr(response, "is_one_of_many")
    return not request.path.startswith(("/agent/", "/static/", "/healthz"))


def _write(request: HttpRequest, response: HttpResponse, took: float) -> None:
    match = request.resolver_match
    route = match.route if match else "-"
    log.info(
        "%s %s %s",
        request.method,
        route,
        response.status_code,
        extra={"took_ms": round(took * 1000, 1), "route": route},
    )


def agents_first(handler: Handler) -> Handler:
    """Agents and the webhooks bear no cookie and see no page, so they skip sessions, sign-in and the rest."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/agent/v1/", "/hooks/")):
            return handler(request)
        return _bare(_guessed(request, _answer(request)))

    return handle


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        request.resolver_match = match = resolve(request.path)
    except Resolver404:
        return HttpResponse(status=404)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _guessed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Whoever tries many words at a webhook is told so once in the log and then answered shortly; a right word is never counted."""
    if response.status_code != 404 or not request.path.startswith("/hooks/"):
        return response
    count = guesses.wrong(request.META["REMOTE_ADDR"])
    if count <= guesses.most:
        return response
    if count == guesses.most + 1:
        log.warning("somebody tries words at the webhooks")
    short = HttpResponse(status=429, headers={"Retry-After": str(int(guesses.window))})
    short.is_one_of_many = True  # type: ignore[attr-defined]
    return short


def _bare(response: HttpResponse) -> HttpResponse:
    """What a browser must know if somebody leads it to a machine's door."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if settings.SECURE_HSTS_SECONDS:
        response.headers["Strict-Transport-Security"] = settings.HSTS
    return response


def _with_file_headers(response: HttpResponse) -> HttpResponse:
    """A page loads twenty of them, and what is said to each is weight: no more than what a file alone can need."""
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def page_headers(handler: Handler) -> Handler:
    """No script, style or picture from elsewhere, and nothing inline, on any page that a customer sees."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        if response.status_code == 200 and request.path.startswith(settings.STATIC_URL):
            return _with_file_headers(response)
        staff = request.path.startswith("/admin/")
        response.headers.setdefault("Content-Security-Policy", STAFF_POLICY if staff else PAGE_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return handle
