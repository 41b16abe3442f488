"""A restore: how far it is, what came back, and its undoing. For owners."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from dashboard import live
from dashboard.access import PersonsRequest, must_own, signed_in, the_server
from dashboard.backups import asking
from dashboard.backups.found import Found, found_of
from dashboard.backups.restore_page import RestorePage, page_of, restore_of
from dashboard.backups.running import running_of
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import PageForm
from domains.refusals import Refusal
from servers import actions as fleet
from servers.desired import host_name


def _place(request: PersonsRequest, pk: UUID, job: UUID) -> tuple[Found, RestorePage]:
    """Raises Http404 and PermissionDenied."""
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    found = found_of(server)
    row = restore_of(found.repository, job) if found.repository else None
    if row is None or found.repository is None:
        raise Http404
    return found, page_of(server, found.repository, row, running_of(found), request.user)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def backup_job(request: PersonsRequest, pk: UUID, job: UUID) -> HttpResponse:
    found, one = _place(request, pk, job)
    form = PageForm(request.POST if request.method == "POST" else None, name="undo")
    if request.method == "POST":
        asked_of(request, {"undo": form})
        act = lambda _said: _undo(request, found, one)  # noqa: E731
        if done := carry_out(request, Doing(act, form), request.path):
            return done
    context = {
        "server": found.server,
        "host": host_name(found.server),
        "one": one,
        "part": _part(request, found, one),
        "wrong": form if form.errors else None,
    }
    return render(request, "backups/job.html", context, status=422 if form.errors else 200)


def _undo(request: PersonsRequest, found: Found, one: RestorePage) -> str:
    """Once: while it is being undone, and after that, there is nothing to undo."""
    if not one.may_undo:
        raise Refusal(_("There is nothing to undo."))
    asking.want(found, "restore", {"undo": str(one.job.pk)}, f"user:{request.user.pk}")
    return _("The server is asked to undo it.")


@signed_in
@require_safe
def backup_job_live(request: PersonsRequest, pk: UUID, job: UUID) -> HttpResponse:
    found, one = _place(request, pk, job)
    if request.GET.get("was", one.word) != one.word:
        return HttpResponseClientRefresh()
    return live.answer(request, _part(request, found, one))


def _part(request: PersonsRequest, found: Found, one: RestorePage) -> live.Part:
    fleet.watch(server=found.server)
    return live.part(
        request,
        "backups/job_live.html",
        {"one": one, "found": found, "server": found.server},
        key="restore",
        url=reverse("backup-job-live", args=[found.home, one.job.pk]) + f"?was={one.word}",
        poll=live.QUICK if one.is_busy else live.RARE,
        says=_says(one),
    )


def _says(one: RestorePage) -> str:
    if one.is_busy:
        return one.running.says if one.running else _("The server was asked and has not answered yet.")
    return ""
