"""Who sees what: a person sees what belongs to an account that they are a member of, and nothing else is there."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_cache_control

from accounts import access
from accounts.models import User
from audit.models import Receipt
from dashboard.when import zone_of
from servers.models import Server

View = Callable[..., HttpResponse]


class PersonsRequest(HttpRequest):
    """The request of somebody who is signed in."""

    user: User
    reference: str


def signed_in(view: View) -> View:
    """For people who signed in; times are in their zone, and no copy of the page is kept by others."""

    @access.signed_in
    @wraps(view)
    def in_their_zone(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        with timezone.override(zone_of(request)):
            response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return in_their_zone


def the_server(user: User, pk: UUID) -> Server:
    """The person's server with all that its page needs. Raises Http404."""
    mine = Server.objects.filter(account__memberships__user=user)
    return get_object_or_404(mine.select_related("account", "agent", "destruction", "subscription"), pk=pk)


def the_receipt(user: User, pk: UUID) -> Receipt:
    """A receipt of one of the person's accounts. Raises Http404."""
    mine = user.memberships.values("account_id")
    return get_object_or_404(Receipt, pk=pk, account_id__in=mine)
