"""What became of the mail of a mailbox that is no more, at the address of the mailbox's page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from dashboard.access import PersonsRequest, may_change, must_own, the_server
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import PageForm
from dashboard.mail.room import most_of
from domains import actions
from domains.models import Erasure


def erased(request: PersonsRequest, one: Erasure) -> HttpResponse:
    """Until when it can be brought back, and then what the server said of it."""
    forms = {"restore": PageForm(request.POST if request.POST.get("do") == "restore" else None)}
    if request.method == "POST":
        must_own(request.user, one.account_id)
        do = asked_of(request, forms)
        act = lambda _said: _restore(request, one)  # noqa: E731
        if done := carry_out(request, Doing(act, forms[do]), request.path):
            return done
    context = {
        "erasure": one,
        "wrong": next((form for form in forms.values() if form.errors), None),
        "may_change": may_change(request.user, one.account_id),
    }
    return render(request, "domains/mailbox_erased.html", context, status=422 if context["wrong"] else 200)


def _restore(request: PersonsRequest, one: Erasure) -> str:
    server = the_server(request.user, one.home)
    row = actions.bring_back(erasure=one, most=most_of(server), by=f"user:{request.user.pk}")
    return _("%s is there again, with its mail and its passwords.") % row.address
