"""Where the owner of a mailbox chooses its password: they may have no account here, only the link from the mail."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import limits
from dashboard.mail.forms import PasswordForm
from dashboard.mail.program import program_of
from dashboard.when import zone_of
from domains import actions
from domains.models import Invitation
from domains.passwords import LEAST
from domains.refusals import BadPassword, Refusal
from servers.models import Server

# Not `no-referrer`: see accounts/views.py.
QUIET = {"Referrer-Policy": "strict-origin", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
View = Callable[..., HttpResponse]


def quiet(view: View) -> View:
    """Such a page is kept nowhere, and its address is told to no one."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        with timezone.override(zone_of(request)):
            response = view(request, *args, **kwargs)
        for name, value in QUIET.items():
            response[name] = value
        return response

    return answer


@quiet
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@sensitive_variables("token")
def mailbox_password(request: HttpRequest, token: str) -> HttpResponse:
    """GET looks, because mail scanners open every link; POST uses it up."""
    if request.method == "POST" and (wait := limits.seconds_to_wait(request, "sign_in_use")):
        return limits.too_often(request, wait)
    invitation = actions.open_invitation(token)
    if invitation is None:
        return render(request, "domains/invitation_spent.html", status=410)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (done := _choose(request, token, invitation, form)):
        return done
    context = {"form": form, "mailbox": invitation.mailbox, "least": LEAST, "until": invitation.expires_at}
    return render(request, "domains/invitation.html", context, status=422 if form.errors else 200)


@sensitive_variables("token")
def _choose(
    request: HttpRequest, token: str, invitation: Invitation, form: PasswordForm
) -> HttpResponse | None:
    """How to go on, once the password is set; None, with the reason on the form, if it was refused."""
    try:
        mailbox = actions.set_password(token=token, password=form.cleaned_data["password"])
    except BadPassword as refusal:
        form.refuse(refusal)
        return None
    except Refusal:
        return render(request, "domains/invitation_spent.html", status=410)
    server = Server.objects.select_related("agent").get(pk=mailbox.domain.home)
    return render(request, "domains/invitation_used.html", {"program": program_of(mailbox, server)})
