"""Signing in by a passkey, and the second step after the link for whoever has one."""

from typing import cast

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStage, LoginStageController
from allauth.account.utils import perform_login
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits, mfa, mfa_actions, passkeys, sessions, stepup
from accounts.forms import AddressForm
from accounts.mfa_forms import FactorForm, PasskeyForm
from accounts.models import User
from accounts.paths import arrival, safe_path
from accounts.stepup_views import take_code
from accounts.views import quiet

page = require_http_methods(["GET", "HEAD", "POST"])


@require_POST
@quiet
def question(request: HttpRequest, purpose: str) -> HttpResponse:
    """What the browser is to ask its passkeys, as JSON; of a stranger nothing is told but a random number."""
    if wait := limits.seconds_to_wait(request, "sign_in_key"):
        return limits.too_often(request, wait)
    if purpose == passkeys.SIGN_IN:
        return JsonResponse(passkeys.ask(request, purpose))
    user = _half_in(request) if purpose == passkeys.SECOND else request.user
    if user is None or not user.is_authenticated:
        return JsonResponse({}, status=403)
    if purpose == passkeys.PROVE or purpose == passkeys.SECOND:
        return JsonResponse(passkeys.ask(request, purpose, user))
    return (
        JsonResponse(passkeys.ask_new(request, user))
        if stepup.is_fresh(request)
        else JsonResponse({}, status=403)
    )


def _half_in(request: HttpRequest) -> User | None:
    """Who has used their link and must show more."""
    stage = _stage(request)
    return cast(User, stage.login.user) if stage else None


def _stage(request: HttpRequest) -> LoginStage | None:
    return cast(LoginStage | None, LoginStageController.enter(request, AuthenticateStage.key))


@require_POST
@quiet
@sensitive_post_parameters("credential")
def sign_in_passkey(request: HttpRequest) -> HttpResponse:
    """By a passkey alone, which knows its holder by a PIN or a finger: that is two factors already."""
    if wait := limits.seconds_to_wait(request, "sign_in_key"):
        return limits.too_often(request, wait)
    goes_to, form = safe_path(request.POST.get("next", "")), PasskeyForm(request.POST)
    row = passkeys.check(request, passkeys.SIGN_IN, form)
    if row is None:
        context = {"form": AddressForm(), "key_form": form, "next": goes_to}
        return render(request, "accounts/sign_in.html", context, status=422)
    return _enter(request, row, goes_to)


def _enter(request: HttpRequest, row: Authenticator, goes_to: str) -> HttpResponse:
    user = cast(User, row.user)
    if request.user.is_authenticated and request.user != user:
        sessions.left(request)
        logout(request)
    sessions.renew(request)
    stepup.proved(request, user, stepup.BY_FACTOR, id=row.pk, type=row.type, passwordless=True)
    mfa_actions.signed_in(user=user, how="passkey", network=get_ip(request))
    return perform_login(request, user, email=user.email, redirect_url=arrival(goes_to))


@page
@quiet
@sensitive_post_parameters("code", "credential")
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="sign-in")
def second_step(request: HttpRequest) -> HttpResponse:
    """After the link: a passkey, a code of the app, or a recovery code."""
    user = cast(User, _stage_of(request).login.user)
    if not user.is_active:
        clear_login(request)
        return redirect("sign-in")
    if request.method != "POST":
        return _page(request, user)
    return _by_passkey(request, user) if request.POST.get("do") == "passkey" else _by_code(request, user)


def _stage_of(request: HttpRequest) -> LoginStage:
    return cast(LoginStage, request._login_stage)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest, user: User, *, code: FactorForm | None = None, key: PasskeyForm | None = None
) -> HttpResponse:
    wrong = bool((code and code.errors) or (key and key.errors))
    context = {
        "email": user.email,
        "has_passkey": passkeys.has_any(user),
        "takes_codes": mfa.takes_codes(user),
        "code_form": code or FactorForm(),
        "key_form": key,
        "wrong": wrong,
    }
    return render(request, "accounts/second_step.html", context, status=422 if wrong else 200)


def _by_passkey(request: HttpRequest, user: User) -> HttpResponse:
    form = PasskeyForm(request.POST)
    row = passkeys.check(request, passkeys.SECOND, form, user=user)
    if row is None:
        return _page(request, user, key=form)
    stepup.proved(request, user, stepup.BY_FACTOR, id=row.pk, type=row.type)
    return _go_on(request, user, "link and passkey")


def _by_code(request: HttpRequest, user: User) -> HttpResponse:
    form = FactorForm(request.POST)
    row, answer = take_code(request, user, form)
    if answer or row is None:
        return answer or _page(request, user, code=form)
    return _go_on(request, user, "link and app" if row.type == mfa.Type.TOTP else "link and recovery code")


def _go_on(request: HttpRequest, user: User, how: str) -> HttpResponse:
    mfa_actions.signed_in(user=user, how=how, network=get_ip(request))
    return cast(HttpResponse, _stage_of(request).exit())


@require_POST
@quiet
def give_up(request: HttpRequest) -> HttpResponse:
    """Somebody else's turn at this browser: what the link had begun is forgotten."""
    clear_login(request)
    return redirect("sign-in")
