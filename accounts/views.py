"""Signing in by a link in a mail, and signing out.

GET and HEAD change nothing, because mail scanners open every link, some of them with a whole browser.
"""

from collections.abc import Callable
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core.internal.ratelimit import get_ip
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, browser, limits, sessions, tokens
from accounts.forms import AddressForm, CodeForm
from accounts.mfa import has_second_factor
from accounts.models import SignInLink
from accounts.paths import arrival, safe_path

View = Callable[..., HttpResponse]
page = require_http_methods(["GET", "HEAD", "POST"])

# Not `no-referrer`: under that, browsers post these pages' own forms with `Origin: null`, which no check against forged
# requests can accept (https://fetch.spec.whatwg.org/#append-a-request-origin-header). This tells our host and never a path.
QUIET = {"Referrer-Policy": "strict-origin", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def quiet(view: View) -> View:
    """Such a page is kept nowhere, found by nobody, and its address is told to no one."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in QUIET.items():
            response[name] = value
        return response

    return answer


@page
@quiet
def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for an address; anybody may give any."""
    goes_to = safe_path(request.POST.get("next") or request.GET.get("next", ""))
    if request.method == "POST":
        return _ask(request, AddressForm(request.POST), goes_to)
    if request.user.is_authenticated:
        return redirect(arrival(goes_to))
    return render(request, "accounts/sign_in.html", {"form": AddressForm(), "next": goes_to})


def _ask(request: HttpRequest, form: AddressForm, goes_to: str) -> HttpResponse:
    if not form.is_valid():
        return render(request, "accounts/sign_in.html", {"form": form, "next": goes_to}, status=422)
    email = form.cleaned_data["email"]
    if wait := limits.seconds_to_wait(request, "sign_in_link", key=email):
        return limits.too_often(request, wait)
    nonce = browser.nonce(request) or browser.new_nonce()
    actions.request_link(email=email, nonce=nonce, goes_to=goes_to, address=get_ip(request))
    response = redirect("sign-in-code")
    browser.remember(response, nonce)
    return response


@page
@quiet
@sensitive_post_parameters("code")
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The window that asked waits here, and takes the code if the link was opened elsewhere."""
    if request.method == "POST":
        return _take_code(request, CodeForm(request.POST))
    return _wait_for_code(request, CodeForm())


def _wait_for_code(request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
    link = _asked_last(request)
    if link and link.is_live:
        return render(request, "accounts/code.html", {"form": form, "asked": link}, status=status)
    if request.user.is_authenticated:
        return redirect(arrival(link.goes_to if link else ""))
    return _spent(request, link) if link else redirect("sign-in")


def _asked_last(request: HttpRequest) -> SignInLink | None:
    nonce = browser.nonce(request)
    asked = SignInLink.objects.filter(browser_hash=tokens.hash_nonce(nonce)) if nonce else None
    return asked.order_by("-created_at").first() if asked is not None else None


def _take_code(request: HttpRequest, form: CodeForm) -> HttpResponse:
    if wait := limits.seconds_to_wait(request, "sign_in_code"):
        return limits.too_often(request, wait)
    if not form.is_valid():
        return _wait_for_code(request, form, status=422)
    entry = actions.use_code(
        nonce=browser.nonce(request), code=form.cleaned_data["code"], address=get_ip(request)
    )
    return _enter(request, entry) if entry else _wait_for_code(request, form.wrong(), status=422)


@page
@quiet
@sensitive_variables("token")
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link in the mail leads: it is looked at by GET and used by POST."""
    if request.method == "POST":
        return _use(request, token)
    return _show(request, token)


@sensitive_variables("token")
def _use(request: HttpRequest, token: str) -> HttpResponse:
    if wait := limits.seconds_to_wait(request, "sign_in_use"):
        return limits.too_often(request, wait)
    entry = actions.use_link(token=token, nonce=browser.nonce(request), address=get_ip(request))
    return _enter(request, entry) if entry else _show(request, token)


@sensitive_variables("token")
def _show(request: HttpRequest, token: str) -> HttpResponse:
    link = SignInLink.objects.filter(token_hash=tokens.hash_token(token)).first()
    if link is None or not link.is_live:
        return _arrived_before(request, link) or _spent(request, link)
    if link.browser_hash in ("", tokens.hash_nonce(browser.nonce(request))):
        return render(request, "accounts/confirm.html", {"asked": link})
    return render(request, "accounts/elsewhere.html", {"asked": link, "code": tokens.code_of(link.pk)})


def _arrived_before(request: HttpRequest, link: SignInLink | None) -> HttpResponse | None:
    """Whoever is in already need not be told that the link is used up."""
    if link and request.user.is_authenticated and request.user.email == link.email:
        return redirect(arrival(link.goes_to))
    return None


def _spent(request: HttpRequest, link: SignInLink | None) -> HttpResponse:
    """Says so kindly, and asks for a new one with what is known already."""
    form = AddressForm(initial={"email": link.email if link else ""})
    words = {"form": form, "next": link.goes_to if link else ""}
    return render(request, "accounts/spent.html", words, status=410)


def _enter(request: HttpRequest, entry: actions.Entry) -> HttpResponse:
    """Signs in through allauth, so that what it asks of everybody, such as a second factor, is asked here too."""
    if request.user.is_authenticated and request.user != entry.user:
        sessions.left(request)
        logout(request)
    if not has_second_factor(entry.user):
        sessions.renew(request)
    record_authentication(request, entry.user, method="magic_link", email=entry.user.email)
    response: HttpResponse = perform_login(
        request, entry.user, email=entry.user.email, redirect_url=arrival(entry.goes_to)
    )
    browser.forget(response)
    return response


@require_POST
@quiet
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        actions.signed_out(user=request.user)
        sessions.left(request)
    get_adapter().logout(request)
    return redirect("/")
