"""How somebody keeps strangers out: their passkeys, their app, their recovery codes."""

from base64 import b64encode
from typing import Any, cast

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, mfa, mfa_actions, passkeys
from accounts.mfa_forms import FactorForm, NameForm, PasskeyForm
from accounts.models import User
from accounts.stepup import BY_FACTOR, fresh, fresh_to_post, proved
from accounts.views import quiet

APP_SECRET = "app_secret"  # noqa: S105 - the session's name for what an app is being set up with, encrypted
page = require_http_methods(["GET", "HEAD", "POST"])


@page
@quiet
@fresh_to_post
def security(request: HttpRequest) -> HttpResponse:
    """Also for staff who belong to no account."""
    if not request.user.is_authenticated:
        return access.to_sign_in(request)
    if request.method == "POST":
        return _change(request, cast(User, request.user))
    return _page(request)


def _page(request: HttpRequest, wrong: Any = None, at: int = 0) -> HttpResponse:
    user = cast(User, request.user)
    factors = mfa.factors_of(user)
    codes = next((row for row in factors if row.type == mfa.Type.RECOVERY_CODES), None)
    context = {
        "passkeys": [row for row in factors if row.type == mfa.Type.WEBAUTHN],
        "app": next((row for row in factors if row.type == mfa.Type.TOTP), None),
        "codes": codes,
        "codes_left": mfa_actions.codes_left(codes) if codes else 0,
        "has_factor": mfa.has_second_factor(user),
        "most": passkeys.MOST,
        "wrong": wrong,
        "wrong_at": at,
    }
    return render(request, "accounts/security.html", context, status=422 if wrong else 200)


def _change(request: HttpRequest, user: User) -> HttpResponse:
    do, by = request.POST.get("do", ""), f"user:{user.pk}"
    given = request.POST.get("key", "")
    pk = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0
    if do == "rename":
        form = NameForm(request.POST)
        if not form.is_valid():
            return _page(request, form, pk)
        done = mfa_actions.rename(user=user, pk=pk, name=form.cleaned_data["name"], by=by)
        said = _("The name was changed.")
    else:
        done = do == "remove" and mfa_actions.remove(user=user, pk=pk, by=by)
        said = _("It was removed and opens nothing any more.")
    messages.success(request, said) if done else messages.warning(request, _("That is not there any more."))
    return redirect("security")


@page
@quiet
@fresh
@sensitive_post_parameters("credential")
def passkey_new(request: HttpRequest) -> HttpResponse:
    """The browser makes the passkey while this page is looked at; its public half comes with the form."""
    user = cast(User, request.user)
    name, form = NameForm(request.POST or None), PasskeyForm(request.POST or None)
    made = passkeys.check_new(request, form) if request.method == "POST" and name.is_valid() else None
    if made:
        try:
            row = mfa_actions.add_passkey(
                user=user, name=name.cleaned_data["name"], made=made, by=f"user:{user.pk}"
            )
        except mfa_actions.Enough:
            messages.warning(request, _("You have as many passkeys as fit. Remove one first."))
            return redirect("security")
        proved(request, user, BY_FACTOR, id=row.pk, type=row.type)
        return _added(request, user, _("The passkey was added."))
    wrong = request.method == "POST"
    context = {"name_form": name, "key_form": form, "wrong": wrong, "proposal": _proposal(request)}
    return render(request, "accounts/passkey_new.html", context, status=422 if wrong else 200)


def _proposal(request: HttpRequest) -> str:
    """What is in the name's field before anybody types."""
    agent = request.headers.get("User-Agent", "")
    known = {
        "iPhone": "iPhone",
        "Android": "Android",
        "Macintosh": "Mac",
        "Windows": "Windows",
        "Linux": "Linux",
    }
    return next((name for word, name in known.items() if word in agent), "")


@page
@quiet
@fresh
@sensitive_post_parameters("code")
@sensitive_variables("secret")
def app_new(request: HttpRequest) -> HttpResponse:
    """The secret is made here and kept once the app has shown that it has it."""
    user, form = cast(User, request.user), FactorForm(request.POST or None)
    if any(row.type == mfa.Type.TOTP for row in mfa.factors_of(user)):
        messages.warning(request, _("You have an app already. Remove it first."))
        return redirect("security")
    secret = _secret(request)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        if row := mfa_actions.add_app(user=user, secret=secret, code=code, by=f"user:{user.pk}"):
            request.session.pop(APP_SECRET, None)
            proved(request, user, BY_FACTOR, id=row.pk, type=row.type)
            return _added(request, user, _("The app was added."))
        form.wrong()
    return _app_page(request, user, form, secret)


def _secret(request: HttpRequest) -> str:
    """The same while one tries: an app that has read the picture need not read another."""
    kept = request.session.get(APP_SECRET)
    if kept:
        return mfa.Adapter().decrypt(kept)
    secret = generate_totp_secret()
    request.session[APP_SECRET] = mfa.Adapter().encrypt(secret)
    return secret


@sensitive_variables("secret", "address", "picture")
def _app_page(request: HttpRequest, user: User, form: FactorForm, secret: str) -> HttpResponse:
    address = mfa.Adapter().build_totp_url(user, secret)
    picture = b64encode(mfa.Adapter().build_totp_svg(address).encode()).decode()
    context = {
        "form": form,
        "picture": f"data:image/svg+xml;base64,{picture}",
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    }
    return render(request, "accounts/app_new.html", context, status=422 if form.errors else 200)


def _added(request: HttpRequest, user: User, said: str) -> HttpResponse:
    """With the first factor come recovery codes, shown in this answer and never again."""
    if any(row.type == mfa.Type.RECOVERY_CODES for row in mfa.factors_of(user)):
        messages.success(request, said)
        return redirect("security")
    return _show_codes(request, user, said)


@require_POST
@quiet
@fresh
def codes_new(request: HttpRequest) -> HttpResponse:
    return _show_codes(request, cast(User, request.user), "")


@sensitive_variables("codes")
def _show_codes(request: HttpRequest, user: User, said: str) -> HttpResponse:
    codes = mfa_actions.make_codes(user=user, by=f"user:{user.pk}")
    if not codes:
        return redirect("security")
    shown = [f"{code[:4]} {code[4:8]} {code[8:]}" for code in codes]
    return render(request, "accounts/codes.html", {"codes": shown, "said": said})
