"""Choosing a name and a data centre for a server that is paid for."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import account_of
from billing import actions as billing
from dashboard import shop
from dashboard.access import PersonsRequest, may_change, must_own, signed_in
from dashboard.backups import where
from dashboard.names import verdict
from dashboard.subscriptions import Paid, ending, without_server
from servers.actions import BadName, NameTaken
from servers.plans import PLACES


class Wish(forms.Form):
    """What is asked of the customer; whether the name is good is for the fleet to say."""

    name = forms.CharField(max_length=60, required=False, strip=True)
    place = forms.ChoiceField(
        choices=[(key, place.city) for key, place in PLACES.items()],
        error_messages={
            "required": _("Choose a data centre."),
            "invalid_choice": _("Choose one of the data centres."),
        },
    )


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def server_new(request: PersonsRequest) -> HttpResponse:
    """For owners, since it uses up what the account has paid for; a member is told whom to ask."""
    account = account_of(request)
    if request.method == "POST":
        must_own(request.user, account.pk)
    if not may_change(request.user, account.pk):
        return render(request, "dashboard/owners_make.html", {"account": account})
    waiting = without_server(account)
    chosen = _chosen(waiting, request.GET.get("subscription", ""))
    if chosen is None:
        return render(request, "dashboard/nothing_waits.html")
    wish = Wish(request.POST) if request.method == "POST" else Wish()
    if request.method == "POST":
        made = _make(request, wish, chosen)
        if made:
            return redirect("server", pk=made)
    return _form(request, wish, chosen, waiting)


def _chosen(waiting: list[Paid], asked: str) -> Paid | None:
    """The subscription that was asked for, or the one that waits longest."""
    named = (paid for paid in waiting if str(paid.subscription.pk) == asked)
    return next(named, waiting[0] if waiting and not asked else None)


def _make(request: PersonsRequest, wish: Wish, chosen: Paid) -> UUID | None:
    """The id of the new server; None, with the errors on the form, if it cannot be."""
    if not wish.is_valid():
        _say_of_name(wish)
        return None
    try:
        server = billing.make_server(
            subscription=chosen.subscription,
            name=wish.cleaned_data["name"],
            place=wish.cleaned_data["place"],
            by=f"user:{request.user.pk}",
        )
    except ValueError as error:
        field = "name" if isinstance(error, BadName | NameTaken) else None
        wish.add_error(field, str(error))
        return None
    return server.pk


def _say_of_name(wish: Wish) -> None:
    """All errors are told at once, so that nobody has to send the form twice to learn of the second."""
    told = verdict(wish.data.get("name", "")).error
    if told and "name" not in wish.errors:
        wish.add_error("name", told)


def _form(request: PersonsRequest, wish: Wish, chosen: Paid, waiting: list[Paid]) -> HttpResponse:
    typed = wish.data.get("name", "") if wish.is_bound else ""
    context = {
        "wish": wish,
        "typed": typed,
        "verdict": verdict(typed) if typed else None,
        "place": wish.data.get("place", "") if wish.is_bound else "",
        "paid": chosen,
        "others": [paid for paid in waiting if paid != chosen],
        "ending": ending(account_of(request)),
        "choices": shop.choices(chosen.plan.key),
        "domain": settings.SERVER_DOMAIN,
        "storage_place": where.storage_place(),
        "elsewhere": [key for key in PLACES if where.lies_elsewhere(key)],
    }
    return render(request, "dashboard/new_server.html", context, status=422 if wish.errors else 200)


@signed_in
@require_safe
def server_name(request: PersonsRequest) -> HttpResponse:
    """What stands below the field while a name is typed."""
    typed = request.GET.get("name", "")[:60]
    context = {"verdict": verdict(typed) if typed.strip() else None, "domain": settings.SERVER_DOMAIN}
    return render(request, "parts/name_verdict.html", context)
