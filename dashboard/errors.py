"""What a person sees when something went wrong: what happened, what to do, and a reference that staff can search."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from audit import faults
from audit.context import reference


def _reference(request: HttpRequest) -> str:
    return getattr(request, "reference", "") or reference()


def _page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"errors/{status}.html", {"reference": _reference(request)}, status=status)


def bad(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400"""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403"""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404"""
    return _page(request, 404)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler429, which allauth calls"""
    return _page(request, 429)


def broken(request: HttpRequest) -> HttpResponse:
    """handler500: rendered without the request, because what broke may be what a page asks of it."""
    _note(request)
    return HttpResponse(render_to_string("errors/500.html", {"reference": _reference(request)}), status=500)


def _note(request: HttpRequest) -> None:
    """So that the reference on the page leads staff to the place."""
    error, match = sys.exc_info()[1], request.resolver_match
    person = getattr(
        request, "_cached_user", None
    )  # whom a page asked for already; nobody is looked up for this
    if error is not None:
        faults.note(
            error,
            reference=_reference(request),
            method=request.method or "",
            route=match.route if match else "",
            by=f"user:{person.pk}" if person and person.pk else "",
        )


def form_forgotten(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a form that was open for too long, or that was sent from elsewhere."""
    return render(request, "errors/form.html", {"reference": _reference(request)}, status=403)
