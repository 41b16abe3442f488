"""The page that asks who it is, and the link in the mail that answers; both lead back to where one was."""

from typing import Any, cast

from allauth.core import ratelimit
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import limits, mfa, mfa_actions, passkeys, stepup, tokens
from accounts.access import to_sign_in
from accounts.forms import CodeForm
from accounts.mfa_forms import FactorForm, PasskeyForm
from accounts.models import SignInLink, User
from accounts.paths import arrival, safe_path
from accounts.views import quiet

page = require_http_methods(["GET", "HEAD", "POST"])


@page
@quiet
@sensitive_post_parameters("code", "credential")
def prove(request: HttpRequest) -> HttpResponse:
    """By a passkey or a code for whoever has such, and by a mail for everybody else."""
    goes_to = safe_path(request.POST.get("next") or request.GET.get("next", ""))
    if not request.user.is_authenticated:
        return to_sign_in(request, goes_to)
    if stepup.is_fresh(request):
        return _on(request, goes_to)
    if request.method != "POST":
        return _page(request, goes_to)
    has_factor = mfa.has_second_factor(request.user)
    do = {True: {"code": _by_code, "passkey": _by_passkey}, False: {"send": _send, "mail": _by_mail}}
    act = do[has_factor].get(request.POST.get("do", ""))
    return act(request, goes_to) if act else _page(request, goes_to)


def _on(request: HttpRequest, goes_to: str) -> HttpResponse:
    """Back to where one was; what was typed there is not kept meanwhile, for it may be a secret."""
    if request.session.pop(stepup.UNSENT, False):
        messages.info(
            request, _("Thank you. Nothing was changed yet: do once more what you were about to do.")
        )
    return redirect(arrival(goes_to))


def _page(
    request: HttpRequest,
    goes_to: str,
    *,
    code: FactorForm | None = None,
    mail: CodeForm | None = None,
    key: PasskeyForm | None = None,
) -> HttpResponse:
    user, wrong = cast(User, request.user), [form for form in (code, mail, key) if form and form.errors]
    context: dict[str, Any] = {
        "next": goes_to,
        "has_factor": mfa.has_second_factor(user),
        "has_passkey": passkeys.has_any(user),
        "takes_codes": mfa.takes_codes(user),
        "asked": stepup.asked_for(request),
        "code_form": code or FactorForm(),
        "mail_form": mail or CodeForm(),
        "key_form": key,
        "wrong": bool(wrong),
    }
    return render(request, "accounts/prove.html", context, status=422 if wrong else 200)


def _send(request: HttpRequest, goes_to: str) -> HttpResponse:
    user = cast(User, request.user)
    if wait := limits.seconds_to_wait(request, "prove_link", key=user.email):
        return limits.too_often(request, wait)
    stepup.request_proof(request=request, goes_to=goes_to, network=get_ip(request))
    return _page(request, goes_to)


def _by_mail(request: HttpRequest, goes_to: str) -> HttpResponse:
    if wait := limits.seconds_to_wait(request, "prove_code", key=cast(User, request.user).email):
        return limits.too_often(request, wait)
    form = CodeForm(request.POST)
    if form.is_valid() and stepup.use_proof_code(request=request, code=form.cleaned_data["code"]):
        return _on(request, goes_to)
    return _page(request, goes_to, mail=form if form.errors else form.wrong())


def _by_code(request: HttpRequest, goes_to: str) -> HttpResponse:
    form = FactorForm(request.POST)
    row, answer = take_code(request, cast(User, request.user), form)
    return answer or (_on(request, goes_to) if row else _page(request, goes_to, code=form))


def take_code(
    request: HttpRequest, user: User, form: FactorForm
) -> tuple[Authenticator | None, HttpResponse | None]:
    """The factor whose code it is, which is remembered; else the form says what is wrong, or an answer that it is too much."""
    if wait := limits.seconds_to_wait(request, "second_factor", key=f"user:{user.pk}"):
        return None, limits.too_often(request, wait)
    row = mfa.spend_code(user, form.cleaned_data["code"]) if form.is_valid() else None
    if row is None:
        if form.is_valid():
            form.wrong()
            mfa_actions.refused(user=user, network=get_ip(request))
        return None, None
    ratelimit.clear(request, action="second_factor", key=f"user:{user.pk}")
    stepup.proved(request, user, stepup.BY_FACTOR, id=row.pk, type=row.type)
    if row.type == mfa.Type.RECOVERY_CODES:
        mfa_actions.code_spent(row=row, by=f"user:{user.pk}")
    return row, None


def _by_passkey(request: HttpRequest, goes_to: str) -> HttpResponse:
    form, user = PasskeyForm(request.POST), cast(User, request.user)
    row = passkeys.check(request, "prove", form, user=user)
    if row is None:
        return _page(request, goes_to, key=form)
    stepup.proved(request, user, stepup.BY_FACTOR, id=row.pk, type=row.type)
    return _on(request, goes_to)


@page
@quiet
@sensitive_variables("token")
def prove_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link in the mail leads: it is looked at by GET and used by POST, in the session that asked."""
    if request.method == "POST":
        if wait := limits.seconds_to_wait(request, "sign_in_use"):
            return limits.too_often(request, wait)
        if link := stepup.use_proof_link(request=request, token=token):
            return _on(request, link.goes_to)
    link = SignInLink.objects.filter(token_hash=tokens.hash_token(token)).first()
    if link is None or not link.is_live:
        return render(request, "accounts/prove_spent.html", {"asked": link}, status=410)
    if stepup.is_bound_here(request, link):
        return render(request, "accounts/prove_link.html", {"asked": link})
    return render(request, "accounts/prove_elsewhere.html", {"asked": link, "code": tokens.code_of(link.pk)})
