"""One domain: which records to set, who gets what, and how it ends."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.stepup import fresh, fresh_to
from dashboard import live
from dashboard.access import (
    PersonsRequest,
    may_change,
    must_own,
    signed_in,
    the_alias,
    the_domain,
    the_server,
)
from dashboard.mail import records, told
from dashboard.mail.applied import applied_of
from dashboard.mail.doing import Doing, Fields, asked_of, carry_out
from dashboard.mail.forms import AliasForm, CatchAllForm, MtaStsForm, PageForm, TargetsForm, lines
from dashboard.mail.lists import verdicts_of, waiting_names
from domains import actions
from domains.models import Domain, Mailbox, WayOut
from domains.names import shown
from domains.refusals import Refusal
from domains.wanted import standing_in
from servers import actions as fleet
from servers.models import Server

page = require_http_methods(["GET", "HEAD", "POST"])


@signed_in
@page
@fresh_to("alias")
def domain(request: PersonsRequest, pk: UUID) -> HttpResponse:
    one = the_domain(request.user, pk)
    server = the_server(request.user, one.home)
    forms = _forms(request, one)
    if request.method == "POST":
        must_own(request.user, one.account_id)
        do = asked_of(request, forms)
        done = carry_out(
            request, Doing(_acts(one, f"user:{request.user.pk}")[do], forms[do], do), request.path
        )
        if done:
            return done
    wrong = next((form for form in forms.values() if form.errors), None)
    context = {
        "domain": one,
        "name": shown(one.name),
        "server": server,
        "part": _part(request, one, server),
        "forms": {name.replace("-", "_"): form for name, form in forms.items()},
        "wrong": wrong,
        "aliases": one.aliases.select_related("domain").order_by("local"),
        "standing_in": standing_in(one),
        "may_change": may_change(request.user, one.account_id),
    }
    return render(request, "domains/domain.html", context, status=422 if wrong else 200)


def _forms(request: PersonsRequest, one: Domain) -> dict[str, PageForm]:
    do = request.POST.get("do", "")
    typed = lambda name: request.POST if do == name else None  # noqa: E731
    catch = CatchAllForm(
        typed("catch-all"),
        name="catch-all",
        initial={"mailbox": str(one.catch_all_id) if one.catch_all and not one.catch_all.removed_at else ""},
    )
    catch.fields["mailbox"].choices = _catchers(one)  # type: ignore[attr-defined]
    return {
        "catch-all": catch,
        "mta-sts": MtaStsForm(typed("mta-sts"), name="mta-sts", initial={"mode": one.mta_sts}),
        "alias": AliasForm(typed("alias"), name="alias"),
    }


def _catchers(one: Domain) -> list[tuple[str, str]]:
    rows = Mailbox.objects.living().filter(domain__home=one.home, domain__account=one.account_id)
    there = rows.select_related("domain").order_by("domain__name", "local")
    return [("", _("is refused")), *((str(row.pk), _("goes to %s") % row.address) for row in there)]


def _acts(one: Domain, by: str) -> dict[str, Callable[[Fields], str]]:
    return {
        "catch-all": lambda said: _catch(one, said["mailbox"], by),
        "mta-sts": lambda said: _promise(one, said["mode"], by),
        "alias": lambda said: _alias(one, said, by),
    }


def _catch(one: Domain, mailbox: str, by: str) -> str:
    rows = Mailbox.objects.living().select_related("domain").filter(domain__account=one.account_id)
    chosen = rows.filter(pk=mailbox).first() if mailbox else None
    actions.set_catch_all(domain=one, mailbox=chosen, by=by)
    if chosen is None:
        return _("Mail to addresses that do not exist is refused.")
    return _("Mail to addresses that do not exist goes to %s.") % chosen.address


def _promise(one: Domain, mode: str, by: str) -> str:
    actions.set_mta_sts(domain=one, mode=mode, by=by)
    return _("The promise of encryption was changed. Its record changes with it: see the list of records.")


def _alias(one: Domain, said: Fields, by: str) -> str:
    made = actions.add_alias(domain=one, local=said["local"], targets=lines(said["targets"]), by=by)
    return _("The alias %s was made.") % made.address


@signed_in
@require_safe
def domain_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    one = the_domain(request.user, pk)
    return live.answer(request, _part(request, one, the_server(request.user, one.home)))


def _part(request: PersonsRequest, one: Domain, server: Server) -> live.Part:
    fleet.watch(server=server)
    mail, applied = told.mail_of(server), applied_of(server)
    verdicts = verdicts_of(one, server, has_way=WayOut.objects.filter(home=server.pk).exists())
    return live.part(
        request,
        "domains/domain_live.html",
        {
            "domain": one,
            "server": server,
            "verdicts": verdicts,
            "waiting": waiting_names(one, mail),
            "applied": applied,
            "groups": records.groups_of(one, server),
        },
        key="domain",
        url=reverse("domain-live", args=[one.pk]),
        poll=live.QUICK if applied and applied.busy else live.SLOW,
        says=applied.says if applied else "",
    )


@signed_in
@require_safe
def domain_zone(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """The records as a file that name servers and registrars read."""
    one = the_domain(request.user, pk)
    text = records.zone_of(one, the_server(request.user, one.home))
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{one.name}.zone"'
    return response


@signed_in
@page
@fresh
def domain_remove(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Names what is lost, and wants that to be confirmed."""
    one = the_domain(request.user, pk)
    must_own(request.user, one.account_id)
    lost, error = actions.what_is_lost(one), ""
    if request.method == "POST":
        try:
            actions.remove_domain(
                domain=one, confirmed="understood" in request.POST, by=f"user:{request.user.pk}"
            )
        except Refusal as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("%s was removed.") % shown(one.name))
            return redirect("mail")
    kept = settings.REMOVED_MAILBOX_KEPT
    context = {"domain": one, "name": shown(one.name), "lost": lost, "kept": kept, "error": error}
    return render(request, "domains/domain_remove.html", context, status=422 if error else 200)


@signed_in
@page
@fresh
def alias(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Where an alias leads, which may be out of the house, as forwarding may; and its end."""
    one = the_alias(request.user, pk)
    must_own(request.user, one.domain.account_id)
    by, back = f"user:{request.user.pk}", reverse("domain", args=[one.domain_id])
    typed = request.POST if request.POST.get("do") == "change" else None
    form = TargetsForm(typed, initial={"targets": "\n".join(one.targets)})
    if request.method == "POST":
        acts: dict[str, Callable[[Fields], str]] = {
            "change": lambda said: _change_alias(one, said, by),
            "remove": lambda said: _remove_alias(one, by),
        }
        forms = {"change": form, "remove": PageForm(request.POST)}
        do = asked_of(request, forms)
        if done := carry_out(request, Doing(acts[do], forms[do], "aliases"), back):
            return done
    return render(
        request, "domains/alias.html", {"alias": one, "form": form}, status=422 if form.errors else 200
    )


def _change_alias(one: object, said: Fields, by: str) -> str:
    changed = actions.change_alias(alias=one, targets=lines(said["targets"]), by=by)  # type: ignore[arg-type]
    return _("The alias %s was changed.") % changed.address


def _remove_alias(one: object, by: str) -> str:
    address = str(one)
    actions.remove_alias(alias=one, by=by)  # type: ignore[arg-type]
    return _("The alias %s was removed. To have it back, add it again.") % address
