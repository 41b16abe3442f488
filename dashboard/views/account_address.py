"""At which address am I reached, and how do I change it?"""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import address, limits, sessions
from accounts.mfa import has_second_factor
from accounts.stepup import fresh
from dashboard.access import PersonsRequest, signed_in
from dashboard.views.account_forms import ChangeAddressForm


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def account_address(request: PersonsRequest) -> HttpResponse:
    form = ChangeAddressForm(request.POST) if request.method == "POST" else ChangeAddressForm()
    if request.method == "POST" and form.is_valid():
        if wait := limits.seconds_to_wait(request, "change_address", key=str(request.user.pk)):
            return limits.too_often(request, wait)
        if _ask(request, form):
            return redirect("account-address")
    return _page(request, form)


def _ask(request: PersonsRequest, form: ChangeAddressForm) -> bool:
    here = sessions.this(request)
    try:
        address.ask(
            user=request.user,
            new=form.cleaned_data["email"],
            old_lost=form.cleaned_data["old_lost"],
            session=here.pk if here else None,
            by=f"user:{request.user.pk}",
        )
    except address.SameAddress:
        form.add_error("email", _("That is your address already."))
    except address.NoFactor:
        form.add_error(
            "old_lost", _("Set up a second factor first: without one, we cannot tell you from a thief.")
        )
    except address.RecoveryOpen:
        form.add_error(
            None, _("Somebody is getting in without your second factor. Stop that first, or wait.")
        )
    return not form.errors


def _page(request: PersonsRequest, form: ChangeAddressForm) -> HttpResponse:
    context = {
        "change": address.open_change(request.user),
        "form": form,
        "has_factor": has_second_factor(request.user),
        "wait": settings.ADDRESS_LOST_WAIT,
    }
    return render(request, "dashboard/account_address.html", context, status=422 if form.errors else 200)


@signed_in
@require_POST
def account_address_stop(request: PersonsRequest) -> HttpResponse:
    """Needs no proof: whoever is in may stop a change, which changes nothing."""
    change = address.open_change(request.user)
    if change and address.call_off(change=change, by=f"user:{request.user.pk}"):
        messages.success(request, _("The change was called off. Your address stays as it is."))
    return redirect("account")
