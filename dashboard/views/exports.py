"""Mail that its owners take with them: asked for, fetched, and deleted again."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.stepup import fresh, fresh_to
from backups.exports import link
from backups.models import Export
from dashboard import exports, live
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.backups.found import Found, found_of
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import PageForm
from servers import actions as fleet
from servers.desired import host_name

GATE = "/storage/exports/"  # answered by the process that has the storage's key: see mailat.gate_urls


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_to("ask", "delete")
def page(request: PersonsRequest, pk: UUID) -> HttpResponse:
    found = found_of(the_server(request.user, pk))
    forms = exports.forms_of(found, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        must_own(request.user, found.server.account_id)
        act = {"ask": exports.ask, "delete": exports.delete}[do := asked_of(request, forms)]
        by = f"user:{request.user.pk}"
        if done := carry_out(request, Doing(lambda said: act(found, said, by), forms[do]), request.path):
            return done
    return _page(request, found, forms)


def _page(request: PersonsRequest, found: Found, forms: dict[str, PageForm]) -> HttpResponse:
    wrong = next((form for form in forms.values() if form.errors), None)
    context = {
        "server": found.server,
        "host": host_name(found.server),
        "part": _part(request, found),
        "exports": exports.exports_of(found),
        "form": forms["ask"],
        "formats": exports.FORMATS,
        "wrong": wrong,
        "may_change": may_change(request.user, found.server.account_id),
        "is_late": "again" in request.GET,
        "is_away": "away" in request.GET,
    }
    return render(request, "exports/page.html", context, status=422 if wrong else 200)


@signed_in
@require_safe
def page_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    return live.answer(request, _part(request, found_of(the_server(request.user, pk))))


@signed_in
@never_cache
@require_safe
@fresh
def file(request: PersonsRequest, pk: UUID, export: UUID) -> HttpResponse:
    """Leads to the file whoever may have it, and writes down that they did. Raises Http404."""
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    one = (
        Export.objects.ready().select_related("repository").filter(pk=export, repository_id=server.pk).first()
    )
    if one is None:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    return redirect(GATE + link(export=one, by=f"user:{request.user.pk}"))


def _part(request: PersonsRequest, found: Found) -> live.Part:
    if not found.server.gone_at:
        fleet.watch(server=found.server)
    shown = exports.exports_of(found)
    return live.part(
        request,
        "exports/live.html",
        {
            "exports": shown,
            "server": found.server,
            "found": found,
            "may_change": may_change(request.user, found.server.account_id),
        },
        key="files",
        url=reverse("server-exports-live", args=[found.home]),
        poll=live.QUICK if shown.going else live.SLOW,
        says="; ".join(one.running.says if one.running else one.what for one in shown.going),
    )
