"""A server that waits for its deletion, and a subscription without one: the one is kept with the other."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.stepup import fresh_to_post
from billing import keeping
from billing.models import Subscription
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.subscriptions import Paid, without_server
from dashboard.summary import card_of
from servers.models import Server


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_to_post
def server_keep(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Everybody of the account sees it; its owners say which subscription pays from now on."""
    server = the_server(request.user, pk)
    if request.method == "POST":
        must_own(request.user, server.account_id)
    wrong = _keep(request, server) if request.method == "POST" else ""
    if request.method == "POST" and not wrong:
        return redirect("server", pk=pk)
    context = {
        "card": card_of(server),
        "is_ending": keeping.ending(server.account).filter(pk=pk).exists(),
        "waiting": _asked_first(without_server(server.account), request.GET.get("subscription", "")),
        "may_change": may_change(request.user, server.account_id),
        "wrong": wrong,
    }
    return render(request, "dashboard/server_keep.html", context, status=422 if wrong else 200)


def _keep(request: PersonsRequest, server: Server) -> str:
    """Does what was asked; what is wrong with it, for people."""
    try:
        keeping.take_over(server=server, subscription=_chosen(request, server), by=f"user:{request.user.pk}")
    except keeping.CannotKeep as error:
        return str(error)
    messages.success(request, _("%s stays. Nothing will be deleted.") % server.name)
    return ""


def _chosen(request: PersonsRequest, server: Server) -> Subscription:
    """One of the account that the server is in. Raises Http404."""
    try:
        asked = UUID(request.POST.get("subscription", ""))
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Subscription, pk=asked, account=server.account_id)


def _asked_first(waiting: list[Paid], asked: str) -> list[Paid]:
    """The one that a letter or a page led here with stands first."""
    return sorted(waiting, key=lambda paid: str(paid.subscription.pk) != asked)
