"""What the links in our letters open: GET shows, and only a press of the button does, because scanners open every link."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import address, invitations, limits, recovery, recovery_address, sessions
from accounts.forms import AddressForm
from accounts.open import AddressChange, Invitation, Recovery
from accounts.views import quiet
from dashboard.when import zone_of

View = Callable[..., HttpResponse]
ways = require_http_methods(["GET", "HEAD", "POST"])


def in_their_zone(view: View) -> View:
    """Also who is not signed in reads times as their clock shows them."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        with timezone.override(zone_of(request)):
            return view(request, *args, **kwargs)

    return answer


def _too_often(request: HttpRequest) -> HttpResponse | None:
    """Counted when something is sent, and never when it is only looked at."""
    wait = limits.seconds_to_wait(request, "open_letter") if request.method == "POST" else 0
    return limits.too_often(request, wait) if wait else None


def _spent(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/account_link_spent.html", status=410)


def _done(request: HttpRequest, what: str, **more: object) -> HttpResponse:
    return render(request, "dashboard/account_link_done.html", {"what": what, **more})


def _ask(request: HttpRequest, what: str, **more: object) -> HttpResponse:
    return render(request, "dashboard/account_link.html", {"what": what, **more})


@ways
@quiet
@in_their_zone
@sensitive_variables("token")
def account_notice(request: HttpRequest, pk: UUID, token: str) -> HttpResponse:
    """From the letter of a new sign-in: it was not me."""
    row = sessions.noticed(pk, token)
    if row is None:
        return _spent(request)
    words = {"device": sessions.words(row), "place": sessions.place(row), "row": row}
    if request.method == "POST":
        if too_often := _too_often(request):
            return too_often
        sessions.end_by_letter(row=row)
        return _done(request, "session", **words)
    if not row.is_live:
        return _done(request, "session", **words)
    return _ask(request, "session", **words)


@ways
@quiet
@in_their_zone
@sensitive_variables("token")
def account_address_link(request: HttpRequest, pk: UUID, token: str) -> HttpResponse:
    """One end of a change of address says yes, or the old one no."""
    change, end = address.read(pk, token)
    if change is None:
        return _spent(request)
    if request.method != "POST":
        return _look_at_change(request, change, end)
    if too_often := _too_often(request):
        return too_often
    if end == address.STOP:
        done = address.call_off(change=change, by="letter")
    else:
        done = address.confirm(change=change, end=end)
    return _done(request, f"address-{end}", change=change) if done else _spent(request)


def _look_at_change(request: HttpRequest, change: AddressChange, end: str) -> HttpResponse:
    said = {address.NEW: change.new_confirmed_at, address.OLD: change.old_confirmed_at}.get(end)
    if change.ended_at or said:
        return _done(request, f"address-{end}", change=change) if said else _spent(request)
    return _ask(request, f"address-{end}", change=change, wait=settings.ADDRESS_LOST_WAIT)


@ways
@quiet
@in_their_zone
@sensitive_variables("token")
def account_second_link(request: HttpRequest, pk: UUID, token: str) -> HttpResponse:
    """A second address says yes."""
    row = recovery_address.read(pk, token)
    if row is None or row.removed_at:
        return _spent(request)
    if request.method == "POST" and not row.confirmed_at:
        if too_often := _too_often(request):
            return too_often
        return _done(request, "second", row=row) if recovery_address.confirm(row=row) else _spent(request)
    if row.confirmed_at:
        return _done(request, "second", row=row)
    return _ask(request, "second", row=row) if recovery_address.is_open(row) else _spent(request)


@ways
@quiet
@in_their_zone
@sensitive_variables("token")
def account_recover_link(request: HttpRequest, pk: UUID, token: str) -> HttpResponse:
    """An address says yes to a recovery, or no."""
    row, end = recovery.read(pk, token)
    if row is None:
        return _spent(request)
    if request.method != "POST":
        return _look_at_recovery(request, row, end)
    if too_often := _too_often(request):
        return too_often
    if end == recovery.STOP or request.POST.get("do") == "stop":
        done, what = recovery.stop(recovery=row, by="letter"), "recover-stop"
    else:
        done, what = recovery.confirm(recovery=row, end=end), f"recover-{end}"
    return _done(request, what, recovery=row) if done else _spent(request)


def _look_at_recovery(request: HttpRequest, row: Recovery, end: str) -> HttpResponse:
    said = {recovery.FIRST: row.first_confirmed_at, recovery.SECOND: row.second_confirmed_at}.get(end)
    if row.ended_at:
        return _spent(request)
    if said:
        return _done(request, f"recover-{end}", recovery=row)
    more = {"vouchers": bool(row.user and recovery.vouchers(row.user)), "wait": settings.RECOVERY_WAIT}
    return _ask(request, f"recover-{end}", recovery=row, **more)


@ways
@quiet
@in_their_zone
def account_invitation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Only who signs in with the invited address learns whose account it is, and may say yes."""
    if not request.user.is_authenticated:
        invited = Invitation.objects.live().filter(pk=pk).first()
        form = AddressForm(initial={"email": invited.email if invited else ""})
        return _ask(request, "invited", form=form, next=request.path, next_page=request.path)
    row = invitations.for_person(request.user, pk)
    if row is None:
        return render(request, "dashboard/account_invitation.html", {"email": request.user.email}, status=410)
    if request.method == "POST":
        return _answer(request, row)
    return render(request, "dashboard/account_invitation.html", {"invitation": row})


def _answer(request: HttpRequest, row: Invitation) -> HttpResponse:
    do: dict[str, Callable[[], object]] = {
        "accept": lambda: invitations.accept(invitation=row, user=request.user),  # type: ignore[arg-type]
        "decline": lambda: invitations.decline(invitation=row, user=request.user),  # type: ignore[arg-type]
    }
    act = do.get(request.POST.get("do", ""))
    if act is None:
        return render(request, "dashboard/account_invitation.html", {"invitation": row})
    if act():
        yes = request.POST["do"] == "accept"
        said = _("You take part in “%(name)s” now.") if yes else _("You said no to “%(name)s”.")
        messages.success(request, said % {"name": row.account.name})
        if yes:
            request.session["account"] = str(row.account_id)
    return redirect("overview")
