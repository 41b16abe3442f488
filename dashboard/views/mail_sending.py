"""How mail leaves a server: an assistant from the customer's account at Amazon to a test mail, and what waits."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import account_of
from accounts.stepup import fresh_to
from dashboard import live
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.mail import assistant, look_again, testers, worries
from dashboard.mail.applied import applied_of
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import PageForm
from dashboard.mail.health import health_of
from dashboard.mail.lists import servers_of
from dashboard.mail.permission import account_page, permission_of, region_of
from dashboard.mail.sending_acts import acts_of, forms_of
from dashboard.sending_words import request_text
from domains.models import WayOut
from domains.names import shown
from servers import actions as fleet
from servers.desired import host_name
from servers.models import Server


@signed_in
@require_safe
def sending(request: PersonsRequest) -> HttpResponse:
    """Leads to the only server, or lists them."""
    servers = servers_of(account_of(request))
    if len(servers) == 1:
        return redirect("mail-sending-of", pk=servers[0].pk)
    ways = {way.home: way for way in WayOut.objects.filter(home__in=[one.pk for one in servers])}
    rows = [(one, host_name(one), ways.get(one.pk), health_of(one)) for one in servers]
    return render(request, "domains/sending_list.html", {"rows": rows})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("secret", "access_key")
@sensitive_variables("forms")
@fresh_to("set", "remove")
def sending_of(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    found = assistant.found_of(server)
    forms = forms_of(request, found)
    if request.method == "POST":
        must_own(request.user, server.account_id)
        do = asked_of(request, forms)
        act = acts_of(found, f"user:{request.user.pk}")[do]
        if done := carry_out(request, Doing(act, forms[do], ANCHORS.get(do, "")), request.path):
            return done
    wrong = next((form for form in forms.values() if form.errors), None)
    context = _context(request, found, forms) | {"wrong": wrong}
    return render(request, "domains/sending.html", context, status=422 if wrong else 200)


ANCHORS = {"test": "test", "tester": "test", "again": "key", "set": "key", "drop": "key"}


def _context(request: PersonsRequest, found: assistant.Found, forms: dict[str, PageForm]) -> dict[str, Any]:
    """What does not change while one reads."""
    server, region = found.server, region_of(request, found.region)
    host = host_name(server)
    return {
        "server": server,
        "host": host,
        "found": found,
        "forms": forms,
        "permission": permission_of(region, found.domains, testers.named_in_policy(server, found)),
        "lacks_policy": testers.lacks_policy(found),
        "in_sandbox": testers.in_sandbox(found),
        "account_page": account_page(found.region),
        "request_text": request_text([shown(one.name) for one in found.domains], host),
        "region_field": forms["set"]["region"],
        "part": _part(request, server, found),
        "may_change": may_change(request.user, server.account_id),
    }


@signed_in
@require_safe
def sending_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    server = the_server(request.user, pk)
    return live.answer(request, _part(request, server, assistant.found_of(server)))


def _part(request: PersonsRequest, server: Server, found: assistant.Found) -> live.Part:
    if not server.gone_at:
        fleet.watch(server=server)
        look_again.soon(found)
    applied, health = applied_of(server), health_of(server)
    context = assistant.context_of(found) | testers.context_of(found)
    context |= worries.context_of(found)
    context["may_change"] = may_change(request.user, server.account_id)
    context |= {"server": server, "host": host_name(server), "health": health, "applied": applied}
    busy = bool(applied and applied.busy) or assistant.is_busy(context["stages"])
    busy = busy or context["testers_begin"]
    context["stages"] |= testers.stages_of(found)
    return live.part(
        request,
        "domains/sending_live.html",
        context,
        key="sending",
        url=reverse("mail-sending-live", args=[server.pk]),
        poll=live.QUICK if busy else live.SLOW,
        says=context["headline"],
    )
