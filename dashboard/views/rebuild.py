"""The whole server on another machine: what that means, how far it is, and the way back."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.stepup import fresh_to_post
from backups.models import Point
from dashboard import live
from dashboard.access import PersonsRequest, must_own, signed_in, the_server
from dashboard.rebuild import Moving, moving_of
from servers import actions, rebuilding
from servers.models import Server


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_to_post
def server_rebuild(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """For owners, since it costs their people some minutes of mail."""
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    wrong = _do(request, server) if request.method == "POST" else ""
    if request.method == "POST" and not wrong:
        return redirect("server-rebuild", pk=pk)
    if not server.gone_at:
        actions.watch(server=server)
    found = moving_of(server)
    context = {
        "rebuild": found,
        "part": _part(request, found),
        "point": _point(request, server),
        "wrong": wrong,
    }
    return render(request, "rebuild/page.html", context, status=422 if wrong else 200)


def _do(request: PersonsRequest, server: Server) -> str:
    """Does what was asked; what is wrong with it, for people."""
    by, do = f"user:{request.user.pk}", request.POST.get("do")
    if do == "start":
        return _start(request, server, by)
    if do == "back" and not request.POST.get("understood"):
        return _("Say that you know what is lost, by the box.")
    done = {"back": rebuilding.go_back, "release": rebuilding.release_old}.get(str(do))
    if done is None or not done(server=server, by=by):
        return _("That is not possible any more.")
    said = {"back": _("It goes back to the old machine."), "release": _("The old machine is being deleted.")}
    messages.success(request, said[str(do)])
    return ""


def _start(request: PersonsRequest, server: Server, by: str) -> str:
    point = _point(request, server)
    if request.POST.get("name", "").strip().lower() not in (server.name, moving_of(server).host):
        return _("Type the name of the server, %s, so that it is certain which one you mean.") % server.name
    try:
        rebuilding.want_rebuild(server=server, by=by, point=point.snapshot if point else "")
    except rebuilding.CannotMove as error:
        return str(error)
    messages.success(
        request, _("It moves to another machine. You may leave this page: a mail comes at the end.")
    )
    return ""


def _point(request: PersonsRequest, server: Server) -> Point | None:
    """The restore point that the page is about, if it is about one. Raises Http404."""
    asked = request.POST.get("point") or request.GET.get("point") or ""
    if not asked:
        return None
    number = int(asked) if asked.isdecimal() and len(asked) < 18 else 0
    return get_object_or_404(Point, pk=number, repository_id=cast(UUID, server.pk), gone_at=None)


@signed_in
@require_safe
def server_rebuild_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    if not server.gone_at:
        actions.watch(server=server)
    found = moving_of(server)
    if request.GET.get("was", phase(found)) != phase(found):
        return HttpResponseClientRefresh()
    return live.answer(request, _part(request, found))


def phase(found: Moving) -> str:
    """When this changes, other things can be asked for, and the whole page is another."""
    if not found.is_under_way:
        return "rests"
    return (
        "returns"
        if found.is_returning
        else "kept"
        if found.is_kept
        else "moves"
        if found.may_go_back
        else "ends"
    )


def _part(request: PersonsRequest, found: Moving) -> live.Part:
    now = next((step for step in found.steps if step.state == "now"), None)
    return live.part(
        request,
        "rebuild/live.html",
        {"rebuild": found, "steps": found.steps},
        key="rebuild",
        url=reverse("server-rebuild-live", args=[found.server.pk]) + f"?was={phase(found)}",
        poll=live.QUICK if found.is_under_way and not found.is_kept else live.SLOW,
        says=f"{now.says}. {now.waits_for}".strip() if now else "",
    )
