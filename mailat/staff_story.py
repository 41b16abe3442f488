"""A customer's whole story on one page: what there is now, and everything that happened, in time order."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.models import Account
from audit import staff_words as words
from backups.models import Point, Repository
from billing.models import Ping, Subscription
from engine import staff_words
from engine.models import Alarm, Run
from mailat import staff_timeline as timeline
from servers.admin import mark, word
from servers.models import Server

MOST = 20  # servers and subscriptions shown; the lists have the rest
NEEDED = (
    "accounts.view_account", "accounts.view_letter", "audit.view_event", "billing.view_ping", "engine.view_alarm",
)  # fmt: skip


@require_safe
def story(request: HttpRequest, account: UUID) -> HttpResponse:
    """For who may see each list that it is made of."""
    if not request.user.has_perms(NEEDED):
        raise PermissionDenied
    customer = get_object_or_404(Account, pk=account)
    servers, bought = servers_of(customer), subscriptions_of(customer)
    try:
        page = timeline.page(customer, subjects_of(servers, bought), after=request.GET.get("after", ""))
    except timeline.BadPlace:
        return redirect(request.path)
    context = {
        **admin.site.each_context(request),
        "title": customer.name,
        "customer": customer,
        "since": words.moment(customer.created_at),
        "heads": ("at", "what", "which", "about", "by"),
        "row": words.link(customer, "Its row"),
        "sections": [] if request.GET.get("after") else _sections(customer, servers, bought),
        "lines": [(words.moment(one.at), one) for one in page.lines],
        "older": page.older,
        "first": request.path if request.GET.get("after") else "",
    }
    return TemplateResponse(request, "admin/staff/story.html", context)


def servers_of(customer: Account) -> list[Server]:
    rows = (
        Server.objects.filter(account=customer).select_related("agent", "destruction").defer("enrolment_hash")
    )
    return list(rows.order_by("-wanted_at")[:MOST])


def subscriptions_of(customer: Account) -> list[Subscription]:
    rows = Subscription.objects.filter(account=customer).select_related("server")
    return list(rows.order_by("-began_at")[:MOST])


def subjects_of(servers: list[Server], bought: list[Subscription]) -> list[str]:
    """How alarms and our own events name what the customer has."""
    mine = [
        name
        for server in servers
        for name in (server.subject, f"repository:{server.pk}", f"sending:{server.pk}")
    ]
    return [*mine, *(one.subject for one in bought)]


def _sections(
    customer: Account, servers: list[Server], bought: list[Subscription]
) -> list[tuple[str, object]]:
    return [
        ("People", _people(customer)),
        ("Subscriptions", _subscriptions(bought)),
        ("Servers", _servers(servers)),
        ("Domains", _domains(customer)),
    ]


def _people(customer: Account) -> object:
    parts = customer.memberships.select_related("user").order_by("since")[: words.MOST]
    cells = ((words.link(one.user), one.role, words.moment(one.user.last_login)) for one in parts)
    return words.table(("person", "role", "signed in last"), cells)


def _subscriptions(bought: list[Subscription]) -> object:
    last = {one.subscription_id: one for one in _newest_pings(bought)}
    heads = ("subscription", "status", "server", "ends", "newest ping")
    return words.table(heads, (_subscription(one, last.get(one.pk)) for one in bought))


def _newest_pings(bought: list[Subscription]) -> Iterable[Ping]:
    rows = Ping.objects.filter(subscription__in=bought).defer("body")
    return rows.order_by("subscription_id", "-received_at").distinct("subscription_id")


def _subscription(one: Subscription, ping: Ping | None) -> Iterable[object]:
    ends = words.moment(one.ended_at or one.ends_at)
    heard = (
        words.sentences([words.link(ping, ping.kind), ping.get_became_display()]) if ping else words.NOTHING
    )
    return words.link(one), one.get_status_display(), words.link(one.server), ends, heard


def _servers(servers: list[Server]) -> object:
    runs, alarms = _live_runs(servers), _open_alarms(servers)
    kept, points = _kept(servers), _newest_points(servers)
    cells = [
        (
            words.sentences([words.link(one), mark(word(one))]),
            words.sentences([one.plan, one.place, one.ipv4]),
            words.lines(_run(run) for run in runs[one.subject]),
            words.lines(words.link(alarm, alarm.says) for alarm in alarms[one.subject]),
            _backups(kept.get(one.pk), points.get(one.pk)),
            _ending(one),
        )
        for one in servers
    ]
    return words.table(("server", "what", "at work", "alarms", "backups", "destruction"), cells)


def _run(run: Run) -> object:
    return words.sentences([words.link(run, run.program), staff_words.mark(run), run.step])


def _live_runs(servers: list[Server]) -> defaultdict[str, list[Run]]:
    return _by_subject(Run.objects.filter(subject__in=[one.subject for one in servers], finished_at=None))


def _open_alarms(servers: list[Server]) -> defaultdict[str, list[Alarm]]:
    return _by_subject(Alarm.objects.filter(subject__in=[one.subject for one in servers], closed_at=None))


def _by_subject(rows: Any) -> defaultdict[str, list[Any]]:
    found = defaultdict(list)
    for row in rows.order_by("-id")[: words.MOST]:
        found[row.subject].append(row)
    return found


def _kept(servers: list[Server]) -> dict[UUID, Repository]:
    return Repository.objects.defer("handed").in_bulk([one.pk for one in servers])


def _newest_points(servers: list[Server]) -> dict[UUID, Point]:
    rows = Point.objects.filter(repository__in=[one.pk for one in servers], gone_at=None)
    newest = rows.order_by("repository_id", "-stored_at").distinct("repository_id")
    return {one.repository_id: one for one in newest}


def _backups(repository: Repository | None, point: Point | None) -> object:
    if repository is None:
        return words.NOTHING
    if repository.ended_at:
        return words.link(repository, "ended")
    return words.sentences(
        [words.link(repository, "newest"), words.moment(point.stored_at) if point else "none yet"]
    )


def _ending(server: Server) -> object:
    if server.gone_at:
        return words.sentences(["gone", words.moment(server.gone_at)])
    row = getattr(server, "destruction", None)
    return words.link(row, f"due {words.when(row.due_at)}") if row else words.NOTHING


def _domains(customer: Account) -> object:
    rows = customer.domains.order_by("name")[: words.MOST]
    cells = (
        (words.link(one), words.subject_link(f"server:{one.home}", brief=True), _mailboxes(one.name))
        for one in rows
    )
    return words.table(("domain", "server", "inside"), cells)


def _mailboxes(domain: str) -> object:
    return words.list_link("domains.mailbox", "mailboxes", q=domain)
