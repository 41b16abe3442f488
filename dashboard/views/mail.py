"""Domains and mailboxes: what works, what is missing, what is the next step?"""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import account_of
from dashboard import live
from dashboard.access import PersonsRequest, may_change, signed_in
from dashboard.mail.lists import Overview, overview_of
from dashboard.mail.steps import Step, next_step
from servers import actions as fleet


@signed_in
@require_safe
def mail(request: PersonsRequest) -> HttpResponse:
    return render(request, "domains/mail.html", {"part": _part(request)})


@signed_in
@require_safe
def mail_live(request: PersonsRequest) -> HttpResponse:
    return live.answer(request, _part(request))


def _part(request: PersonsRequest) -> live.Part:
    account = account_of(request)
    seen = overview_of(account)
    for one in seen.applied:
        fleet.watch(server=one.server)
    step = next_step(seen.servers, seen.cards, seen.ways)
    return live.part(
        request,
        "domains/mail_live.html",
        {"seen": seen, "step": step, "may_change": may_change(request.user, account.pk)},
        key="mail",
        url=reverse("mail-live"),
        poll=live.QUICK if seen.busy else live.SLOW,
        says=_says(seen, step),
    )


def _says(seen: Overview, step: Step) -> str:
    """What a screen reader tells when it changes: where the servers are, or else the next step."""
    return " ".join(one.says for one in seen.applied if one.word != "applied") or step.title
