"""What do you know about me, and how do I change it?"""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, address, invitations, recovery, sessions
from accounts.mfa import has_second_factor
from accounts.models import Account, User
from dashboard import actions
from dashboard.access import PersonsRequest, may_change, signed_in


class NameForm(forms.Form):
    name = forms.CharField(max_length=120, required=False, strip=True)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: PersonsRequest) -> HttpResponse:
    form = NameForm(request.POST) if request.method == "POST" else None
    if form and form.is_valid():
        changed = actions.rename(
            person=request.user, name=form.cleaned_data["name"], by=f"user:{request.user.pk}"
        )
        messages.success(request, _("Your name was changed.") if changed else _("Your name stays as it was."))
        return redirect("account")
    return _page(request, form)


def _page(request: PersonsRequest, form: NameForm | None) -> HttpResponse:
    at = access.account_of(request)
    context = {
        "account": at,
        "others": [other for other in access.accounts_of(request) if other != at],
        "memberships": _people(at),
        "form": form,
        "typed": form.data.get("name", "") if form else request.user.name,
        "metrics_kept": settings.METRICS_KEPT_THINNED,
        "audit_kept": settings.AUDIT_KEPT,
        "sessions_kept": sessions.KEPT,
        "owner": may_change(request.user, at.pk),
        **_open(request.user),
    }
    return render(request, "dashboard/account.html", context, status=422 if form else 200)


def _open(user: User) -> dict[str, object]:
    """What waits for an answer, or can still be stopped."""
    return {
        "change": address.open_change(user),
        "recovery": recovery.begun(user),
        "invitations": invitations.waiting_for(user),
        "has_factor": has_second_factor(user),
    }


def _people(at: Account) -> list[object]:
    return list(at.memberships.select_related("user").order_by("since", "pk")[:200])


@signed_in
@require_POST
def account_choose(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Goes over to another account of the person."""
    access.choose_account(request, pk)
    return redirect("overview")
