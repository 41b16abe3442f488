"""One server: what it is doing, how full it is, and while it is being made or deleted, which step it is at."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from audit.models import Receipt
from dashboard import live, rebuild
from dashboard.access import PersonsRequest, may_change, must_own, signed_in, the_server
from dashboard.mail.health import health_of
from dashboard.mail.upkeep import upkeep_of
from dashboard.mail.window import WindowForm, window_of
from dashboard.server_charts import charts_of
from dashboard.server_report import report_of
from dashboard.subscriptions import as_paid, without_server
from dashboard.summary import Card, card_of
from servers import actions, metrics, progress
from servers.models import Server


@signed_in
@require_safe
def server(request: PersonsRequest, pk: UUID) -> HttpResponse:
    return _page(request, the_server(request.user, pk))


def _page(request: PersonsRequest, one: Server, form: WindowForm | None = None) -> HttpResponse:
    _watch(one)
    context: dict[str, object] = {"server": one, "part": _part(request, one)}
    if phase(one) == "running":
        context |= {"charts": _charts(request, one), "card": card_of(one), "report": report_of(one)}
        context |= {"window": window_of(one, form), "window_form": form}
        context["may_change"] = may_change(request.user, one.account_id)
    return render(request, "dashboard/server.html", context, status=422 if form else 200)


@signed_in
@require_POST
def server_window(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """When it may restart."""
    one = the_server(request.user, pk)
    must_own(request.user, one.account_id)
    form = WindowForm(request.POST)
    if not form.is_valid():
        return _page(request, one, form)
    actions.set_reboot_window(server=one, by=f"user:{request.user.pk}", **form.cleaned_data)
    messages.success(request, _("The times for a restart were saved."))
    return redirect(reverse("server", args=[pk]) + "#window")


@signed_in
@require_safe
def server_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    one = the_server(request.user, pk)
    _watch(one)
    if request.GET.get("was", phase(one)) != phase(one):
        return HttpResponseClientRefresh()
    return live.answer(request, _part(request, one))


def phase(one: Server) -> str:
    """Whether there is something to measure; when this changes, the whole page is another."""
    destruction = getattr(one, "destruction", None)
    if one.gone_at:
        return "gone"
    if destruction and destruction.begun_at:
        return "being-deleted"
    if one.rebuilding_since:
        return "moving"
    return "running" if one.ready_at else "being-made"


@signed_in
@require_safe
def server_charts(request: PersonsRequest, pk: UUID) -> HttpResponse:
    return live.answer(request, _charts(request, the_server(request.user, pk)))


def _watch(one: Server) -> None:
    """While somebody looks, the reports come faster."""
    if not one.gone_at:
        actions.watch(server=one)


def _part(request: PersonsRequest, one: Server) -> live.Part:
    card = card_of(one)
    return live.part(
        request,
        "dashboard/server_live.html",
        {"card": card, **_details(one, card)},
        key="server",
        url=reverse("server-live", args=[one.pk]) + f"?was={phase(one)}",
        poll=_poll(card),
        says=_says(card),
    )


def _poll(card: Card) -> int:
    if card.server.gone_at:
        return live.RARE
    return live.QUICK if card.busy else live.SLOW


def _says(card: Card) -> str:
    """What a screen reader tells when it changes: the state, or the step."""
    now = next((step for step in _steps(card) if step.state == "now"), None)
    return f"{now.says}. {now.waits_for}".strip() if now else f"{card.host}: {card.state.why}"


def _steps(card: Card) -> list[progress.Progress]:
    if card.server.rebuilding_since and not card.begun:
        return rebuild.steps_of(card.server) or progress.of(card.server, "Resize")
    if card.state.word == "being made":
        return progress.of(card.server)
    return progress.of(card.server, "Destroy") if card.begun else []


def _details(one: Server, card: Card) -> dict[str, object]:
    """What this state of a server has to show."""
    if one.gone_at:
        return {"receipt": Receipt.objects.filter(subject=one.subject).first()}
    subscription = getattr(one, "subscription", None)
    ends = card.state.word == "ending" and not card.begun
    return {
        "steps": _steps(card),
        "report": report_of(one),
        "health": health_of(one),
        "upkeep": upkeep_of(one),
        "rebuild_offered": rebuild.is_offered(one),
        "paid": as_paid(subscription) if subscription else None,
        "waiting": without_server(one.account) if ends else [],
    }


def _charts(request: PersonsRequest, one: Server) -> live.Part:
    asked = request.GET.get("span", "hour")
    span = asked if asked in metrics.SPANS else "hour"
    return live.part(
        request,
        "dashboard/charts.html",
        {"server": one, "drawn": charts_of(one, span), "spans": list(metrics.SPANS)},
        key="charts",
        url=reverse("server-charts", args=[one.pk]) + f"?span={span}",
        poll=30 if span == "hour" else live.RARE,
    )
