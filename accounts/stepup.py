"""Asking again who it is, before what cannot be undone and before what is secret.

allauth's own guard lets whoever has neither password nor second factor through, which here is most people.
"""

import secrets
import time
from collections.abc import Callable, Container
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY as RECORDS,
)
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import letters, tokens
from accounts.access import to_sign_in
from accounts.mfa import has_second_factor
from accounts.models import SignInLink, User
from accounts.paths import safe_path
from audit.actions import record

View = Callable[..., HttpResponse]
BY_MAIL = "magic_link"
BY_FACTOR = "mfa"
KEPT = 20  # proofs that a session remembers
SKEW = 60  # seconds by which the clocks of two web machines may differ
UNSENT = "unsent"  # the session's name for that a form was not taken
SESSION = "proof"  # the session's name for what binds a link to it


class _Everything:
    """Every `do` of every form."""

    def __contains__(self, what: object) -> bool:
        return True


def fresh(view: View) -> View:
    """For a view that answers only whoever showed within settings.STEP_UP_FRESH that it is them."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        return view(request, *args, **kwargs) if is_fresh(request) else to_prove(request)

    return answer


def fresh_to_post(view: View) -> View:
    """The same where looking is harmless and every form is not."""
    return _fresh_to(_Everything())(view)


def fresh_to(*do: str) -> Callable[[View], View]:
    """The same for those of a page's forms that send one of these as `do`."""
    return _fresh_to(do)


def _fresh_to(do: Container[str]) -> Callable[[View], View]:
    def guard(view: View) -> View:
        guarded = fresh(view)

        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            asks = request.method == "POST" and request.POST.get("do", "") in do
            return (guarded if asks else view)(request, *args, **kwargs)

        return answer

    return guard


# --- what was shown, and when


def is_fresh(request: HttpRequest) -> bool:
    """Whoever has a second factor shows that; a mail is then not enough."""
    if not request.user.is_authenticated:
        return False
    ways = (BY_FACTOR,) if has_second_factor(request.user) else (BY_FACTOR, BY_MAIL)
    ago = time.time() - _proved_at(request, ways)
    return -SKEW < ago < settings.STEP_UP_FRESH.total_seconds()


def proved_by_factor(request: HttpRequest) -> bool:
    """Whether this session was ever more than a mail read."""
    return request.user.is_authenticated and _proved_at(request, (BY_FACTOR,)) > 0


def _proved_at(request: HttpRequest, ways: Container[object]) -> float:
    """Seconds since 1970; 0 for never."""
    proofs = get_authentication_records(request, cast(User, request.user))
    return max((float(one["at"]) for one in proofs if one.get("method") in ways), default=0.0)


def proved(request: HttpRequest, user: User, method: str, **facts: Any) -> None:
    """Remembers in the session that the person showed who they are."""
    record_authentication(request, user, method=method, **facts)
    request.session[RECORDS] = request.session[RECORDS][-KEPT:]


def to_prove(request: HttpRequest) -> HttpResponse:
    """To the page that asks, and back to where the form stands, which is then to be sent again."""
    if request.method not in ("GET", "HEAD"):
        request.session[UNSENT] = True
    address = prove_way(_page(request))
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def prove_way(goes_to: str) -> str:
    """The path of the page that asks, which leads on from there."""
    back = safe_path(goes_to)
    return reverse("prove") + ("?" + urlencode({"next": back}) if back else "")


def _page(request: HttpRequest) -> str:
    """The page that is looked at: what was posted cannot be gone back to, its form can."""
    if request.headers.get("HX-Request") == "true":
        return urlsplit(request.headers.get("HX-Current-URL", "")).path
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    return (
        came_from._replace(scheme="", netloc="").geturl()
        if came_from.netloc == request.get_host()
        else request.path
    )


# --- by mail: a link that is bound to one session, so that it is of use nowhere else


@transaction.atomic
def request_proof(*, request: HttpRequest, goes_to: str, network: str) -> SignInLink:
    """Sends a link to the signed-in person; the session's newest is its only one."""
    user, now = cast(User, request.user), timezone.now()
    SignInLink.objects.unspent().filter(browser_hash=_bound_to(request)).update(void_at=now)
    request.session[SESSION] = secrets.token_hex(32)
    link = SignInLink(email=user.email, browser_hash=_bound_to(request), goes_to=goes_to)
    link.expires_at = now + settings.SIGN_IN_LINK_LIFE
    link.token_hash = tokens.hash_token(tokens.token_of(link.pk))
    link.code_hash = tokens.hash_code(link.pk, tokens.code_of(link.pk))
    link.save(force_insert=True)
    record("proof.asked", by=f"user:{user.pk}", subject=f"link:{link.pk}", network=network)
    letters.post("prove", to=link.email, key=f"prove:{link.pk}", proof=link.pk)
    return link


def _bound_to(request: HttpRequest) -> str:
    """No cookie hashes to this, so the link signs nobody in."""
    return str(request.session.get(SESSION) or secrets.token_hex(32))


def asked_for(request: HttpRequest) -> SignInLink | None:
    """The link that this session waits for."""
    mine = SignInLink.objects.unspent().filter(browser_hash=_bound_to(request))
    return mine.filter(email=cast(User, request.user).email).first()


def is_bound_here(request: HttpRequest, link: SignInLink) -> bool:
    same = secrets.compare_digest(link.browser_hash, _bound_to(request))
    return same and request.user.is_authenticated and cast(User, request.user).email == link.email


def use_proof_link(*, request: HttpRequest, token: str) -> SignInLink | None:
    """Takes the link, once, in the session that asked."""
    link = SignInLink.objects.live().filter(token_hash=tokens.hash_token(token)).first()
    return _claim(request, link) if link and is_bound_here(request, link) else None


def use_proof_code(*, request: HttpRequest, code: str) -> SignInLink | None:
    """Takes the code, which is counted before it is looked at, so that a hundred guesses at once are still five."""
    link = asked_for(request)
    if link is None or not _count_try(cast(UUID, link.pk)):
        return None
    return _claim(request, link) if tokens.is_code(link.pk, link.code_hash, code) else None


def _count_try(pk: UUID) -> bool:
    return SignInLink.objects.live().filter(pk=pk).update(tries=F("tries") + 1) == 1


@transaction.atomic
def _claim(request: HttpRequest, link: SignInLink) -> SignInLink | None:
    if SignInLink.objects.unspent().filter(pk=link.pk).update(used_at=timezone.now()) != 1:
        return None
    proved(request, cast(User, request.user), BY_MAIL, email=link.email)
    return link


def way(context: dict[str, Any]) -> str:
    """The path in the letter, made when it is sent; nothing if the link is spent."""
    link = SignInLink.objects.live().filter(pk=UUID(context["proof"])).first()
    if link is None or tokens.hash_token(tokens.token_of(link.pk)) != link.token_hash:
        return ""
    return reverse("prove-link", args=[tokens.token_of(link.pk)])
