"""To whom Amazon no longer sends, for owners: a worker fetches the list when they ask, and it stays for an hour at most."""

from typing import cast
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import live
from dashboard.access import PersonsRequest, must_own, signed_in, the_server
from dashboard.mail.doing import Doing, Fields, asked_of, carry_out
from dashboard.mail.forms import PLAIN, PageForm, text
from dashboard.mail.sending_acts import Acts
from dashboard.mail.suppressed import Shown, shown_of
from domains.refusals import Refusal
from sending import suppression
from sending.keys import living_key
from servers.desired import host_name
from servers.models import Server


class AddressForm(PageForm):
    one = forms.CharField(max_length=320, strip=False)


class SearchForm(PageForm):
    """Sent in the body: an address in a URL would stand in logs."""

    part = text(lazy("Part of the address"), 320, widget=forms.TextInput(attrs=PLAIN))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("one", "part")
@sensitive_variables("forms_of", "part", "shown")
def suppressed(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    forms_of, part = _forms(request), ""
    if request.method == "POST":
        do = asked_of(request, forms_of)
        if do == "search":
            part = forms_of[do].cleaned_data["part"] if forms_of[do].is_valid() else ""
        elif done := carry_out(
            request, Doing(_acts(server, f"user:{request.user.pk}")[do], forms_of[do]), request.path
        ):
            return done
    wrong = next((form for form in forms_of.values() if form.errors), None)
    shown = shown_of(cast(UUID, server.pk), number=_number(request), part=part)
    context = {
        "server": server,
        "host": host_name(server),
        "search": forms_of["search"],
        "part_asked": part,
        "shown": shown,
        "has_key": living_key(cast(UUID, server.pk)) is not None,
        "wrong": wrong,
    }
    if not part:
        context["part"] = _part(request, server, shown)
    return render(request, "domains/sending/suppressed.html", context, status=422 if wrong else 200)


def _forms(request: PersonsRequest) -> dict[str, PageForm]:
    do = request.POST.get("do", "")
    kinds = {"show": PageForm, "allow": AddressForm, "forget": PageForm, "search": SearchForm}
    return {name: kind(request.POST if do == name else None, name=name) for name, kind in kinds.items()}


def _acts(server: Server, by: str) -> Acts:
    return {
        "show": lambda said: _show(server, by),
        "allow": lambda said: _allow(server, said, by),
        "forget": lambda said: _forget(server, by),
    }


def _show(server: Server, by: str) -> str:
    suppression.show(account=server.account, home=cast(UUID, server.pk), by=by)
    return _("Amazon is being asked for the list.")


def _allow(server: Server, said: Fields, by: str) -> str:
    suppression.allow(home=cast(UUID, server.pk), address=said["one"], by=by)
    return _("Amazon is being asked to take the address off its list.")


def _forget(server: Server, by: str) -> str:
    if not suppression.forget(home=cast(UUID, server.pk), by=by):
        raise Refusal(_("The list has left already."))
    return _("The list was removed here. Amazon's own list stays as it is.")


@signed_in
@require_safe
def suppressed_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    shown = shown_of(cast(UUID, server.pk), number=_number(request))
    return live.answer(request, _part(request, server, shown))


def _number(request: PersonsRequest) -> int:
    asked = request.GET.get("page", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1


def _part(request: PersonsRequest, server: Server, shown: Shown) -> live.Part:
    """Asks again also when nothing happens, so that a list whose time is over leaves an open page."""
    url = reverse("mail-suppressed-live", args=[server.pk])
    context = {
        "server": server,
        "shown": shown,
        "part_asked": "",
        "has_key": living_key(cast(UUID, server.pk)) is not None,
    }
    return live.part(
        request,
        "domains/sending/suppressed_list.html",
        context,
        key="suppressed",
        url=f"{url}?page={shown.number}" if shown.number > 1 else url,
        poll=live.QUICK if shown.busy else live.RARE,
        says=_says(shown),
    )


def _says(shown: Shown) -> str:
    return {
        "none": _("The list is not here."),
        "reading": _("The list is being read."),
        "trouble": _("The list could not be read."),
        "read": _("The list was read."),
    }[shown.word]
