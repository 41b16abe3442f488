"""Staff sign in like everybody else and then need a second factor; the admin's own form, which asks for a password, is never shown."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import to_sign_in
from accounts.mfa import has_second_factor
from accounts.models import User
from accounts.paths import safe_path
from accounts.stepup import UNSENT, is_fresh, prove_way, proved_by_factor
from accounts.views import sign_out


def guard(site: AdminSite) -> None:
    """Puts our doors, in and out, in place of the site's, and our lock on every room behind them."""
    site.login = door  # type: ignore[method-assign]
    site.logout = cast(Any, sign_out)  # type: ignore[method-assign]
    site.has_permission = may_enter  # type: ignore[method-assign]


def may_enter(request: HttpRequest) -> bool:
    """Asked at every address of the admin: a session that never showed a second factor is nothing here, whoever's it is."""
    known: bool | None = getattr(request, "_may_enter", None)
    if known is None:
        known = request._may_enter = _may_enter(request)  # type: ignore[attr-defined]
    return known


def _may_enter(request: HttpRequest) -> bool:
    return _is_staff(request) and proved_by_factor(request) and has_second_factor(cast(User, request.user))


def _is_staff(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.is_active and request.user.is_staff


def door(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Leads everybody to what they lack, staff who lack nothing to where they were going, and refuses who is no staff."""
    goes_to = safe_path(request.GET.get("next", "")) or reverse("admin:index")
    if not request.user.is_authenticated:
        return to_sign_in(request, goes_to)
    if not _is_staff(request):
        raise PermissionDenied("Only staff may enter here.")
    if not has_second_factor(cast(User, request.user)):
        messages.warning(request, _("The staff's site opens once you have a second factor."))
        return redirect("security")
    if not proved_by_factor(request):
        return redirect(prove_way(goes_to))
    return redirect(goes_to)


def prove_first(request: HttpRequest) -> HttpResponse | None:
    """Whoever is about to act shows anew who they are, and comes back to the address to which the act was sent."""
    if is_fresh(request):
        return None
    request.session[UNSENT] = True
    return redirect(prove_way(safe_path(request.get_full_path()) or request.path))
