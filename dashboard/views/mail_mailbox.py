"""One mailbox: how full it is, who can use it, where its mail goes; and its end."""

from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.stepup import fresh, fresh_to
from dashboard import live
from dashboard.access import (
    PersonsRequest,
    may_change,
    must_own,
    signed_in,
    the_erasure,
    the_mailbox,
    the_server,
)
from dashboard.mail import told
from dashboard.mail.applied import applied_of
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import AppPasswordForm
from dashboard.mail.mailbox_page import acts_of, forms_of
from dashboard.mail.program import program_of
from dashboard.mail.use import stop_of, use_of
from dashboard.views.mail_erased import erased
from domains import actions
from domains.models import AppPassword, Mailbox
from domains.refusals import Refusal
from servers import actions as fleet
from servers.models import Server

SHOWN = "app_passwords_shown"  # the session's name for the forms whose password was shown
page = require_http_methods(["GET", "HEAD", "POST"])


@signed_in
@page
@fresh_to("forward", "revoke", "suspend", "invite", "release")
def mailbox(request: PersonsRequest, pk: UUID) -> HttpResponse:
    if gone := the_erasure(request.user, pk):
        return erased(request, gone)
    one = the_mailbox(request.user, pk)
    server = the_server(request.user, one.domain.home)
    forms = forms_of(request, one)
    if request.method == "POST":
        must_own(request.user, one.domain.account_id)
        do = asked_of(request, forms)
        act = acts_of(one, server, f"user:{request.user.pk}")[do]
        if done := carry_out(request, Doing(act, forms[do], do), request.path):
            return done
    wrong = next((form for form in forms.values() if form.errors), None)
    context = {
        "mailbox": one,
        "server": server,
        "part": _part(request, one, server),
        "forms": forms,
        "wrong": wrong,
        "app_form": AppPasswordForm(name="app", initial={"once": uuid4().hex}),
        "app_passwords": list(one.app_passwords.order_by("added_at", "pk")),
        "most": AppPassword.MOST,
        "invitation": one.invitations.order_by("-sent_at").first(),
        "program": program_of(one, server),
        "may_change": may_change(request.user, one.domain.account_id),
    }
    return render(request, "domains/mailbox.html", context, status=422 if wrong else 200)


@signed_in
@require_safe
def mailbox_live(request: PersonsRequest, pk: UUID) -> HttpResponse:
    one = the_mailbox(request.user, pk)
    return live.answer(request, _part(request, one, the_server(request.user, one.domain.home)))


def _part(request: PersonsRequest, one: Mailbox, server: Server) -> live.Part:
    fleet.watch(server=server)
    mail, applied = told.mail_of(server), applied_of(server)
    return live.part(
        request,
        "domains/mailbox_live.html",
        {
            "mailbox": one,
            "server": server,
            "use": use_of(one, mail),
            "stop": stop_of(one, mail),
            "applied": applied,
            "may_change": may_change(request.user, one.domain.account_id),
        },
        key="mailbox",
        url=reverse("mailbox-live", args=[one.pk]),
        poll=live.QUICK if applied and applied.busy else live.SLOW,
        says=applied.says if applied else "",
    )


@signed_in
@require_POST
@never_cache
@fresh
def app_password_new(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Makes an app password and shows it, in this answer and never again; a form that is sent twice makes one."""
    one = the_mailbox(request.user, pk)
    must_own(request.user, one.domain.account_id)
    form = AppPasswordForm(request.POST, name="app")
    if not form.is_valid():
        return _app_form_again(request, one, form)
    shown = request.session.get(SHOWN, [])
    if form.cleaned_data["once"] in shown:
        messages.warning(
            request, _("This app password was shown already. If you lost it, revoke it and make another.")
        )
        return redirect(reverse("mailbox", args=[pk]) + "#app-passwords")
    try:
        row, secret = actions.add_app_password(
            mailbox=one, label=form.cleaned_data["label"], by=f"user:{request.user.pk}"
        )
    except Refusal as refusal:
        form.refuse(refusal)
        return _app_form_again(request, one, form)
    request.session[SHOWN] = [*shown[-19:], form.cleaned_data["once"]]
    program = program_of(one, the_server(request.user, one.domain.home))
    context = {"mailbox": one, "row": row, "secret": secret, "program": program}
    return render(request, "domains/app_password.html", context)


def _app_form_again(request: PersonsRequest, one: Mailbox, form: AppPasswordForm) -> HttpResponse:
    context = {"mailbox": one, "form": form}
    return render(request, "domains/app_password_again.html", context, status=422)


@signed_in
@page
@fresh
def mailbox_remove(request: PersonsRequest, pk: UUID) -> HttpResponse:
    """Says what is lost, until when it can be had back, and how."""
    one = the_mailbox(request.user, pk)
    must_own(request.user, one.domain.account_id)
    error = ""
    if request.method == "POST":
        try:
            actions.remove_mailbox(mailbox=one, by=f"user:{request.user.pk}")
        except Refusal as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("%s was removed. You can bring it back here.") % one.address)
            return redirect("mailbox", pk=pk)
    mail = told.mail_of(the_server(request.user, one.domain.home))
    context = {
        "mailbox": one,
        "use": use_of(one, mail),
        "error": error,
        "kept": settings.REMOVED_MAILBOX_KEPT,
    }
    return render(request, "domains/mailbox_remove.html", context, status=422 if error else 200)
