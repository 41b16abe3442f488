"""The plan of a server: what it is, what is paid, and when the one becomes the other."""

from datetime import date, datetime, time
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from dashboard import live
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.plan import Planned, planned
from servers import actions, resizing
from servers.models import Server


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def server_plan(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Everybody of the account sees it; its owners choose the time."""
    server = the_server(request.user, pk)
    if request.method == "POST":
        must_own(request.user, server.account_id)
    wrong = _set_time(request, server) if request.method == "POST" else ""
    if request.method == "POST" and not wrong:
        return redirect("server-plan", pk=pk)
    found = planned(server)
    context = {
        "planned": found,
        "part": _part(request, found),
        "may_change": may_change(request.user, server.account_id),
        "wrong": wrong,
    }
    return render(request, "plan/page.html", context, status=422 if wrong else 200)


def _set_time(request: PersonsRequest, server: Server) -> str:
    """Does what was asked; what is wrong with it, for people."""
    now = request.POST.get("do") == "now"
    at = None if now else _typed(request)
    if not now and at is None:
        return _("Choose one of the days, and an hour.")
    try:
        resizing.set_time(server=server, at=at, by=f"user:{request.user.pk}")
    except resizing.CannotChange as error:
        return str(error)
    said = _("It begins now, with a backup.") if now else _("The time was saved.")
    messages.success(request, said)
    return ""


def _typed(request: PersonsRequest) -> datetime | None:
    """A day and an hour of the reader's zone; the hour that is running is over, and one of the last day is the last."""
    try:
        day, hour = date.fromisoformat(request.POST.get("day", "")), int(request.POST.get("hour", ""))
        return datetime.combine(day, time(hour), timezone.get_current_timezone())
    except (ValueError, OverflowError):
        return None


@signed_in
@require_safe
def server_plan_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    found = planned(server)
    if request.GET.get("was", phase(found)) != phase(found):
        return HttpResponseClientRefresh()
    return live.answer(request, _part(request, found))


def phase(found: Planned) -> str:
    """When this changes, other things can be asked for, and the whole page is another."""
    return "moves" if found.is_under_way else "waits" if found.is_waiting else "rests"


def _part(request: PersonsRequest, found: Planned) -> live.Part:
    if found.is_under_way:
        actions.watch(server=found.server)
    now = next((step for step in found.steps if step.state == "now"), None)
    return live.part(
        request,
        "plan/live.html",
        {"planned": found, "steps": found.steps},
        key="plan",
        url=reverse("server-plan-live", args=[found.server.pk]) + f"?was={phase(found)}",
        poll=live.QUICK if found.is_under_way else live.SLOW,
        says=f"{now.says}. {now.waits_for}".strip() if now else "",
    )
