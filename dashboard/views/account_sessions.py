"""Where am I signed in, and how do I end it?"""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import sessions
from accounts.models import Session
from dashboard.access import PersonsRequest, as_anybody


@as_anybody
@require_http_methods(["GET", "HEAD", "POST"])
def account_sessions(request: PersonsRequest) -> HttpResponse:
    if request.method == "POST":
        _end(request)
        return redirect("account-sessions")
    here = sessions.this(request)
    rows = [
        {"row": one, "words": sessions.words(one), "place": sessions.place(one), "here": one == here}
        for one in sessions.sessions_of(request.user)
    ]
    rows.sort(key=lambda one: not one["here"])
    return render(request, "dashboard/account_sessions.html", {"sessions": rows})


def _end(request: PersonsRequest) -> None:
    by = f"user:{request.user.pk}"
    if request.POST.get("do") == "others":
        here = sessions.this(request)
        n = sessions.end_all(user=request.user, but=here.pk if here else None, by=by)
        said = ngettext("One other browser was signed out.", "%(n)s other browsers were signed out.", n)
        messages.success(request, said % {"n": n} if n else _("No other browser was signed in."))
        return
    row = _mine(request)
    if row and sessions.end(row=row, by=by):
        said = _("%(browser)s was signed out.") % {"browser": sessions.words(row)}
        messages.success(request, said)
    else:
        messages.info(request, _("That browser was signed out already."))


def _mine(request: PersonsRequest) -> Session | None:
    try:
        pk = UUID(request.POST.get("one", ""))
    except ValueError:
        return None
    return Session.objects.select_related("user").filter(user=request.user, pk=pk).first()
