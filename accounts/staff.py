"""Staff sign in by link like everybody else; the admin's own form, which asks for a password, is never shown."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import to_sign_in
from accounts.paths import safe_path


def guard(site: AdminSite) -> None:
    """Puts our door in place of the site's."""
    site.login = door  # type: ignore[method-assign]


def door(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Leads strangers to the sign-in page, staff to where they were going, and refuses everybody else."""
    goes_to = safe_path(request.GET.get("next", "")) or reverse("admin:index")
    if not request.user.is_authenticated:
        return to_sign_in(request, goes_to)
    if not (request.user.is_active and request.user.is_staff):
        raise PermissionDenied("Only staff may enter here.")
    return redirect(goes_to)
