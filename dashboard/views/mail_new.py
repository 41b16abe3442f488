"""Adding a domain, and adding a mailbox."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import account_of
from accounts.models import Account
from accounts.stepup import fresh
from dashboard.access import PersonsRequest, must_own, signed_in, the_server
from dashboard.mail.forms import GB, DomainForm, NewMailboxForm
from dashboard.mail.lists import ready_of, servers_of
from dashboard.mail.room import most_of, room_of
from domains import actions
from domains.models import Domain
from domains.names import shown
from domains.refusals import Refusal
from servers.models import Server

page = require_http_methods(["GET", "HEAD", "POST"])


@signed_in
@page
def domain_new(request: PersonsRequest) -> HttpResponse:
    account = account_of(request)
    must_own(request.user, account.pk)
    ready = ready_of(servers_of(account))
    if not ready:
        return redirect("mail")
    form = DomainForm(request.POST or None)
    if request.method == "POST" and (made := _add_domain(request, account, form, ready)):
        messages.success(
            request, _("%s was added. Next, enter its records at your registrar.") % shown(made.name)
        )
        return redirect("domain", pk=made.pk)
    context = {"form": form, "servers": ready, "chosen": _chosen(form, ready)}
    return render(request, "domains/domain_new.html", context, status=422 if form.errors else 200)


def _add_domain(
    request: PersonsRequest, account: Account, form: DomainForm, ready: list[Server]
) -> Domain | None:
    if not form.is_valid():
        return None
    home = _chosen(form, ready)
    try:
        return actions.add_domain(
            account=account, home=home.pk, name=form.cleaned_data["name"], by=f"user:{request.user.pk}"
        )
    except Refusal as refusal:
        form.refuse(refusal)
        return None


def _chosen(form: DomainForm, ready: list[Server]) -> Server:
    """The server that was chosen, or the first."""
    named = form.data.get("server", "") if form.is_bound else ""
    return next((one for one in ready if str(one.pk) == named), ready[0])


@signed_in
@page
@fresh
def mailbox_new(request: PersonsRequest) -> HttpResponse:
    """Asks before the form is shown, since it may invite somebody, and what was typed would be lost later."""
    account = account_of(request)
    must_own(request.user, account.pk)
    domains = _domains(account)
    if not domains:
        return redirect("domain-new")
    domain = _asked(domains, request.POST.get("domain") or request.GET.get("domain", ""))
    server = the_server(request.user, domain.home)
    form = _mailbox_form(request, domains, domain, server)
    if request.method == "POST" and form.is_valid() and (made := _add_mailbox(request, form, domain, server)):
        return redirect("mailbox", pk=made)
    context = {"form": form, "room": room_of(server), "server": server, "domain": domain}
    return render(request, "domains/mailbox_new.html", context, status=422 if form.errors else 200)


def _domains(account: Account) -> list[Domain]:
    homes = [server.pk for server in ready_of(servers_of(account))]
    return list(Domain.objects.filter(account=account, home__in=homes).order_by("name"))


def _asked(domains: list[Domain], asked: str) -> Domain:
    return next((one for one in domains if str(one.pk) == asked), domains[0])


def _mailbox_form(
    request: PersonsRequest, domains: list[Domain], domain: Domain, server: Server
) -> NewMailboxForm:
    offer = (room_of(server).offer / GB).quantize(GB / GB / 1000).normalize()
    form = NewMailboxForm(request.POST or None, initial={"domain": str(domain.pk), "quota": f"{offer:f}"})
    form.fields["domain"].choices = [(str(one.pk), shown(one.name)) for one in domains]  # type: ignore[attr-defined]
    return form


def _add_mailbox(
    request: PersonsRequest, form: NewMailboxForm, domain: Domain, server: Server
) -> UUID | None:
    said = form.cleaned_data
    try:
        made = actions.add_mailbox(
            domain=domain,
            local=said["local"],
            name=said["name"],
            quota=int(said["quota"] * GB),
            most=most_of(server),
            invite_to=said["invite_to"],
            by=f"user:{request.user.pk}",
        )
    except Refusal as refusal:
        form.refuse(refusal)
        return None
    messages.success(request, _added(made.address, said["invite_to"]))
    return made.pk


def _added(address: str, invited: str) -> str:
    words = _("%s was made.") % address
    return f"{words} " + (
        _("The invitation goes to %s.") % invited
        if invited
        else _("It has no password yet: invite its owner.")
    )
