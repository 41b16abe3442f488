"""When is the last good backup, when was it last proven, and how does one get something back?"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import account_of
from backups.models import Repository
from dashboard import exports, live, rebuild
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.backups import asking, history, limits, points, troubles, where
from dashboard.backups.brief import briefs_of
from dashboard.backups.drills import drills_of
from dashboard.backups.found import Found, found_of
from dashboard.backups.running import running_of
from dashboard.backups.state import state_of
from dashboard.mail.doing import Doing, Fields, asked_of, carry_out
from dashboard.mail.forms import PageForm
from dashboard.mail.lists import servers_of
from servers import actions as fleet
from servers.desired import host_name
from servers.models import Server

ANCHORS = {"limits": "limits", "drill": "proof"}


@signed_in
@require_safe
def backups(request: PersonsRequest) -> HttpResponse:
    """Leads to the only server, or lists them."""
    servers = servers_of(account_of(request))
    if len(servers) == 1:
        return redirect("server-backups", pk=servers[0].pk)
    said = briefs_of(servers)
    rows = [(one, host_name(one), said.get(one.pk)) for one in servers]
    return render(request, "backups/list.html", {"rows": rows})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def server_backups(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    found = found_of(server)
    forms = _forms(request, found)
    if request.method == "POST":
        must_own(request.user, server.account_id)
        do = asked_of(request, forms)
        act = _acts(found, f"user:{request.user.pk}")[do]
        if done := carry_out(request, Doing(act, forms[do], ANCHORS.get(do, "")), request.path):
            return done
    wrong = next((form for form in forms.values() if form.errors), None)
    context = _context(request, found, forms) | {"wrong": wrong}
    return render(request, "backups/backups.html", context, status=422 if wrong else 200)


def _forms(request: PersonsRequest, found: Found) -> dict[str, PageForm]:
    """Without a repository there is nothing to ask for."""
    if found.repository is None:
        return {}
    data = lambda name: request.POST if request.POST.get("do") == name else None  # noqa: E731
    plain = {name: PageForm(data(name), name=name) for name in ("backup", "drill")}
    return {**plain, "limits": limits.form_of(found.repository, data("limits"))}


def _acts(found: Found, by: str) -> dict[str, Callable[[Fields], str]]:
    return {
        "backup": lambda said: _want(found, "backup", by),
        "drill": lambda said: _want(found, "drill", by),
        "limits": lambda said: _set_limits(found, said, by),
    }


def _want(found: Found, do: str, by: str) -> str:
    asking.want_drill(found, by) if do == "drill" else asking.want(found, do, {}, by)
    if do == "drill":
        return _("The server is asked to prove the newest backup. You may leave this page.")
    return _("The server is asked to back up now. You may leave this page.")


def _set_limits(found: Found, said: Fields, by: str) -> str:
    hours, kib_s = limits.wanted(said)
    asking.set_limits(found, hours, kib_s, by)
    return _("The limits of backups were saved. The server is told within minutes.")


def _context(request: PersonsRequest, found: Found, forms: dict[str, PageForm]) -> dict[str, Any]:
    """What does not change while one reads."""
    server, repository = found.server, found.repository
    context: dict[str, Any] = {
        "server": server,
        "host": host_name(server),
        "found": found,
        "part": _part(request, found),
        "forms": forms,
        "may_change": may_change(request.user, server.account_id),
        "storage_place": where.storage_place(),
        "elsewhere": where.lies_elsewhere(server.place),
    }
    if repository:
        context |= {"limits": limits.limits_of(repository), "kept": where.kept_of(repository)}
        context |= rebuild.section(server) | exports.section(server) | {"server": server}
    return context


@signed_in
@require_safe
def server_backups_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    return live.answer(request, _part(request, found_of(the_server(request.user, pk))))


def _part(request: PersonsRequest, found: Found) -> live.Part:
    _watch(found.server)
    running, before = running_of(found), request.GET.get("before", "")
    state = state_of(found, running)
    context: dict[str, Any] = {"found": found, "server": found.server, "state": state, "running": running}
    context |= {"may_change": may_change(request.user, found.server.account_id)}
    context |= {"troubles": troubles.alarms_told(found), "asked": {job.do: job for job in found.open}}
    if state.error:
        context["refused"] = troubles.failure(state.error)
    if found.repository:
        context |= _lists(request, found, found.repository, before)
    busy = bool(running or found.open)
    return live.part(
        request,
        "backups/backups_live.html",
        context,
        key="backups",
        url=reverse("server-backups-live", args=[found.home])
        + (f"?before={before}" if points.is_key(before) else ""),
        poll=live.QUICK if busy else live.SLOW,
        says=f"{state.headline}. {running.says if running else ''}".strip(),
    )


def _lists(request: PersonsRequest, found: Found, repository: Repository, before: str) -> dict[str, Any]:
    return {
        "page": points.page_of(repository, before),
        "drills": drills_of(repository),
        "proof": found.proof,
        "lines": history.lines_of(found.server, repository, request.user),
    }


def _watch(server: Server) -> None:
    """While somebody looks, the reports come faster."""
    if not server.gone_at:
        fleet.watch(server=server)
