"""How do I get in again when I have lost my second factor?"""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits, recovery, recovery_address
from accounts.mfa import has_second_factor
from accounts.stepup import fresh
from accounts.views import quiet
from dashboard.access import PersonsRequest, signed_in
from dashboard.views.account_forms import LostFactorForm, SecondAddressForm

CALM = gettext_lazy("Somebody is getting in without your second factor. Stop that first, or wait.")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def account_recovery(request: PersonsRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, SecondAddressForm())
    if request.POST.get("do") == "remove":
        return _remove(request)
    form = SecondAddressForm(request.POST)
    if form.is_valid():
        if wait := limits.seconds_to_wait(request, "change_address", key=str(request.user.pk)):
            return limits.too_often(request, wait)
        if _ask(request, form):
            return redirect("account-recovery")
    return _page(request, form)


def _ask(request: PersonsRequest, form: SecondAddressForm) -> bool:
    try:
        recovery_address.ask(
            user=request.user, email=form.cleaned_data["email"], by=f"user:{request.user.pk}"
        )
    except recovery_address.NotApart:
        form.add_error("email", _("That is your first address. A second one helps only if it is another."))
    except recovery_address.RecoveryOpen:
        form.add_error(None, str(CALM))
    return not form.errors


def _remove(request: PersonsRequest) -> HttpResponse:
    try:
        if recovery_address.remove(user=request.user, by=f"user:{request.user.pk}"):
            messages.success(request, _("Your second address was removed."))
    except recovery_address.RecoveryOpen:
        messages.error(request, str(CALM))
    return redirect("account-recovery")


def _page(request: PersonsRequest, form: SecondAddressForm) -> HttpResponse:
    context = {
        "form": form,
        "confirmed": recovery_address.confirmed(request.user),
        "asked": recovery_address.asked(request.user),
        "recovery": recovery.begun(request.user),
        "has_factor": has_second_factor(request.user),
        "vouchers": recovery.vouchers(request.user),
        "wait": settings.RECOVERY_WAIT,
    }
    return render(request, "dashboard/account_recovery.html", context, status=422 if form.errors else 200)


@signed_in
@require_POST
def account_recovery_stop(request: PersonsRequest) -> HttpResponse:
    """Needs no proof: any open session may say no."""
    row = recovery.begun(request.user)
    if row and recovery.stop(recovery=row, by=f"user:{request.user.pk}"):
        messages.success(request, _("It was stopped. Your second factor stays."))
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@quiet
def account_recover(request: HttpRequest) -> HttpResponse:
    """For whoever cannot sign in; the answer is the same for every address."""
    form = LostFactorForm(request.POST) if request.method == "POST" else LostFactorForm()
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "dashboard/account_recover.html", {"form": form}, status=status)
    email = form.cleaned_data["email"].strip().lower()
    if wait := limits.seconds_to_wait(request, "recover", key=email):
        return limits.too_often(request, wait)
    recovery.ask(email=email, network=str(request.META.get("REMOTE_ADDR", "")))
    return render(request, "dashboard/account_recover.html", {"asked": email})
