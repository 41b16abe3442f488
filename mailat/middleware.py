"""What every request passes: a reference for the log, the agents' short way, and the headers of a page."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from audit.context import about

log = logging.getLogger("mailat.request")
Handler = Callable[[HttpRequest], HttpResponse]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
# Unfold draws with Alpine, which makes functions of attributes and sets styles inline.
STAFF_POLICY = PAGE_POLICY.replace(
    "script-src 'self'", "script-src 'self' 'unsafe-eval' 'unsafe-inline'"
).replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
SAFE_REFERENCE = re.compile(r"[A-Za-z0-9-]{8,64}")


def request_log(handler: Handler) -> Handler:
    """Logs the route and never the path, because a path may hold a sign-in token or the webhook's secret."""

    def handle(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        reference = given if SAFE_REFERENCE.fullmatch(given) else uuid4().hex[:16]
        request.reference = reference  # type: ignore[attr-defined]
        began = time.monotonic()
        with about(request=reference):
            response = handler(request)
            if response.status_code >= 400 or not request.path.startswith(
                ("/agent/", "/static/", "/healthz")
            ):
                _write(request, response, time.monotonic() - began)
        response["X-Request-ID"] = reference
        return response

    return handle


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
    """Agents and the webhook bear no cookie and see no page, so they skip sessions, sign-in and the rest."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/agent/v1/", "/hooks/")):
            return handler(request)
        try:
            request.resolver_match = match = resolve(request.path)
        except Resolver404:
            return HttpResponse(status=404)
        return match.func(request, *match.args, **match.kwargs)

    return handle


def page_headers(handler: Handler) -> Handler:
    """No script, style or picture from elsewhere, and nothing inline, on any page that a customer sees."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        staff = request.path.startswith("/admin/")
        response.headers.setdefault("Content-Security-Policy", STAFF_POLICY if staff else PAGE_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    return handle
