"""Who sees what: a person sees what belongs to an account that they are a member of, and nothing else is there."""

from collections.abc import Callable
from functools import wraps
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import Account, User
from dashboard.when import zone_of
from servers.models import Server

View = Callable[..., HttpResponse]


class PersonsRequest(HttpRequest):
    """The request of somebody who is signed in."""

    user: User  # type: ignore[assignment]
    htmx: HtmxDetails
    reference: str


def signed_in(view: View) -> View:
    """For people who signed in; times are in their zone, and no copy of the page is kept by others."""

    @wraps(view)
    def guarded(request: PersonsRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        with timezone.override(zone_of(request)):
            response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return guarded


def _to_sign_in(request: PersonsRequest) -> HttpResponse:
    """A part of a page cannot show the sign-in page, so the whole page goes there."""
    if not request.htmx:
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
    page = request.htmx.current_url_abs_path or settings.LOGIN_REDIRECT_URL
    return HttpResponseClientRedirect(redirect_to_login(page, settings.LOGIN_URL)["Location"])


def accounts_of(user: User) -> list[Account]:
    """The accounts that the person is a member of, the oldest first."""
    return list(Account.objects.filter(memberships__user=user).order_by("created_at", "id"))


def account_ids(user: User) -> list[UUID]:
    return [cast(UUID, account.pk) for account in accounts_of(user)]


def the_server(user: User, pk: UUID) -> Server:
    """The person's server with all that its page needs. Raises Http404."""
    mine = Server.objects.filter(account__memberships__user=user)
    return get_object_or_404(mine.select_related("account", "agent", "destruction", "subscription"), pk=pk)
