"""Who sees what: a person sees what belongs to an account that they are a member of, and nothing else is there."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_cache_control

from accounts import access
from accounts.models import Membership, User
from audit.models import Receipt
from dashboard.when import zone_of
from domains.models import Alias, Domain, Erasure, Mailbox
from servers.models import Server

View = Callable[..., HttpResponse]


class PersonsRequest(HttpRequest):
    """The request of somebody who is signed in."""

    user: User
    reference: str


def signed_in(view: View) -> View:
    """For people of an account who signed in; times are in their zone, and nobody keeps a copy of the page."""
    return access.signed_in(_theirs(view))


def as_anybody(view: View) -> View:
    """The same for what everybody has who signed in, also staff who belong to no account."""
    return access.as_anybody(_theirs(view))


def _theirs(view: View) -> View:
    @wraps(view)
    def in_their_zone(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        with timezone.override(zone_of(request)):
            response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
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


def the_domain(user: User, pk: UUID) -> Domain:
    """A domain of one of the person's accounts. Raises Http404."""
    mine = Domain.objects.filter(account__memberships__user=user)
    return get_object_or_404(mine.select_related("account", "catch_all__domain"), pk=pk)


def the_alias(user: User, pk: UUID) -> Alias:
    """Raises Http404."""
    mine = Alias.objects.filter(domain__account__memberships__user=user)
    return get_object_or_404(mine.select_related("domain__account"), pk=pk)


def the_mailbox(user: User, pk: UUID) -> Mailbox:
    """A mailbox of one of the person's accounts, also while it is removed and can be had back. Raises Http404."""
    mine = Mailbox.objects.filter(domain__account__memberships__user=user)
    return get_object_or_404(mine.select_related("domain__account"), pk=pk)


def the_erasure(user: User, pk: UUID) -> Erasure | None:
    """What became of the mail of a mailbox that is no more, if it was one of the person's accounts'."""
    mine = Erasure.objects.filter(account__memberships__user=user)
    return mine.select_related("account").filter(pk=pk).first()


def may_change(user: User, account: UUID) -> bool:
    """Everybody of an account sees its mail settings; its owners change them."""
    return Membership.objects.filter(user=user, account=account, role=Membership.Role.OWNER).exists()


def must_own(user: User, account: UUID) -> None:
    """Raises PermissionDenied for a member, and for who is none."""
    if not may_change(user, account):
        raise PermissionDenied("Only an owner of the account may do this.")
