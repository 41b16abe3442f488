"""What anybody may see: what one gets, what it costs, where data lives, how one leaves."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import shop
from dashboard.backups import where


def _context() -> dict[str, object]:
    return {
        "offers": shop.offers(),
        "places": shop.places(),
        "grace": settings.DESTRUCTION_GRACE,
        "audit_kept": settings.AUDIT_KEPT,
        "storage_place": where.storage_place(),
    }


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/landing.html", _context())


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/plans.html", _context())
