"""Is everything working right now, and what comes next?"""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import account_of
from accounts.models import Account
from billing.models import Subscription
from dashboard import live
from dashboard.access import PersonsRequest, may_change, signed_in
from dashboard.subscriptions import without_server
from dashboard.summary import Card, cards_of, headline
from servers.models import Server

MOST = 100  # cards on one page


@signed_in
@require_safe
def overview(request: PersonsRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", {"part": _part(request)})


@signed_in
@require_safe
def overview_live(request: PersonsRequest) -> HttpResponse:
    return live.answer(request, _part(request))


def _part(request: PersonsRequest) -> live.Part:
    account = account_of(request)
    cards = _cards(account)
    word, says = headline(cards)
    waiting = without_server(account)
    return live.part(
        request,
        "dashboard/overview_live.html",
        {
            "cards": cards,
            "word": word,
            "headline": says,
            "waiting": waiting,
            "may_change": may_change(request.user, account.pk),
            "bought": bool(cards or waiting) or Subscription.objects.filter(account=account).exists(),
        },
        key="overview",
        url=reverse("overview-live"),
        poll=live.QUICK if any(card.busy for card in cards) else live.SLOW,
        says=says,
    )


def _cards(account: Account) -> list[Card]:
    there = Server.objects.filter(account=account, gone_at=None)
    return cards_of(list(there.select_related("agent", "destruction").order_by("name")[:MOST]))
