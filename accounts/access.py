"""Whose page it is: the account that the signed-in person is at, and views that want somebody signed in."""

from collections.abc import Callable
from functools import wraps
from typing import cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import Account, Membership, User
from accounts.open import Invitation
from accounts.paths import safe_path

CHOSEN = "account"  # the session's name for the account that was chosen
View = Callable[..., HttpResponse]


class NoAccount(PermissionDenied):
    """A person of ours may belong to no account at all."""


def membership_of(request: HttpRequest) -> Membership:
    """The signed-in person's part in the account that they are at: the one chosen, or else the oldest. Raises NoAccount."""
    known = getattr(request, "_membership", None)
    if known is None:
        known = request._membership = _find_membership(request)  # type: ignore[attr-defined]
    return cast(Membership, known)


def _find_membership(request: HttpRequest) -> Membership:
    mine = list(_memberships(request).order_by("since", "pk"))
    chosen = request.session.get(CHOSEN)
    for membership in mine:
        if str(membership.account_id) == chosen:
            return membership
    if not mine:
        raise NoAccount("You belong to no account.")
    return mine[0]


def _memberships(request: HttpRequest) -> QuerySet[Membership]:
    return Membership.objects.filter(user=cast(User, request.user)).select_related("account")


def account_of(request: HttpRequest) -> Account:
    """The account that the signed-in person is at. Raises NoAccount, which is answered by 403."""
    return membership_of(request).account


def accounts_of(request: HttpRequest) -> list[Account]:
    """All accounts of the signed-in person, to choose among."""
    return [membership.account for membership in _memberships(request).order_by("since", "pk")]


def choose_account(request: HttpRequest, account_id: UUID) -> Account:
    """Goes over to another account of the person. Raises NoAccount if they do not belong to it."""
    membership = _memberships(request).filter(account_id=account_id).first()
    if membership is None:
        raise NoAccount("You do not belong to this account.")
    request.session[CHOSEN] = str(account_id)
    request._membership = membership  # type: ignore[attr-defined]
    return membership.account


def as_anybody(view: View) -> View:
    """For a view that wants somebody signed in, also who belongs to no account, as most of the staff."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return view(request, *args, **kwargs) if request.user.is_authenticated else to_sign_in(request)

    return answer


def signed_in(view: View) -> View:
    """For a view that wants somebody signed in who belongs to an account; others are led to where they get on."""

    @as_anybody
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            membership_of(request)
        except NoAccount:
            return _elsewhere(request)
        return view(request, *args, **kwargs)

    return answer


def _elsewhere(request: HttpRequest) -> HttpResponse:
    """To the admin, or to the invitation that waits for an answer. Raises NoAccount if there is nothing else."""
    if request.user.is_staff:
        return redirect("admin:index")
    invited = Invitation.objects.live().filter(email=cast(User, request.user).email)
    if one := invited.order_by("-sent_at", "pk").first():
        return redirect(reverse("account-invitation", args=[one.pk]))
    raise NoAccount("You belong to no account.")


def owner_required(view: View) -> View:
    """For a view that only an owner of the account may use; a member gets 403."""

    @signed_in
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if membership_of(request).role != Membership.Role.OWNER:
            raise PermissionDenied("Only an owner of the account may do this.")
        return view(request, *args, **kwargs)

    return answer


def to_sign_in(request: HttpRequest, goes_to: str = "") -> HttpResponse:
    """To the sign-in page and back here, or to `goes_to`, afterwards; a part of a page takes the whole page with it."""
    back = safe_path(goes_to or _page(request))
    address = settings.LOGIN_URL + ("?" + urlencode({"next": back}) if back else "")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def _page(request: HttpRequest) -> str:
    """The path of the page that is looked at; what was posted cannot be gone back to."""
    if request.headers.get("HX-Request") == "true":
        return urlsplit(request.headers.get("HX-Current-URL", "")).path
    return request.get_full_path() if request.method in ("GET", "HEAD") else ""
