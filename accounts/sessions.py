"""Where somebody is signed in: a row for each browser, by which it is listed, told of and ended at once."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import browser, letters, tokens
from accounts.actions import record_for_accounts
from accounts.models import Session, SignInLink, User
from accounts.sessions_devices import Device, device_of

Handler = Callable[[HttpRequest], HttpResponse]
ROW = "row"  # the session's name for the id of its row
MARK = "device_mark"  # the request's name for what its browser is to keep
NOTICE = "sessions.notice"  # what the link in the letter is for
SEEN_EVERY = timedelta(minutes=5)
KEPT = timedelta(days=90)  # so long a browser is not new to us, counted from its last visit
DEVICE_KEPT = timedelta(days=400)  # the longest that browsers keep a cookie


# --- on every request


def present(handler: Handler) -> Handler:
    """Middleware: who was signed out elsewhere is out from the next request on, and who has just come in gets a row."""

    def handle(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            _look(request)
        response = handler(request)
        if request.session.modified and request.user.is_authenticated and ROW not in request.session:
            came_in(request)
        if mark := getattr(request, MARK, ""):
            browser.remember_device(response, mark, DEVICE_KEPT)
        return response

    return handle


def _look(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        return
    row = this(request)
    if row:
        _touch(request, row)
    elif ROW in request.session or request.user.signed_out_at:
        _put_out(request)
    else:
        _begin(request)


def this(request: HttpRequest) -> Session | None:
    """The row of the session that asks."""
    pk, user = request.session.get(ROW), cast(User, request.user)
    return Session.objects.live().filter(pk=pk, user_id=user.pk).first() if pk else None


def _touch(request: HttpRequest, row: Session) -> None:
    """Not on every request, because a row that is written costs more than one that is read."""
    if timezone.now() - row.seen_at < SEEN_EVERY:
        return
    Session.objects.live().filter(pk=row.pk).update(
        seen_at=timezone.now(), address=_address(request), country=_country(request)
    )


def left(request: HttpRequest) -> None:
    """To be told when a person ends the session that they are in."""
    row = this(request)
    if row:
        Session.objects.live().filter(pk=row.pk).update(ended_at=timezone.now())


def renew(request: HttpRequest) -> None:
    """To be told when a person who is in shows again all that is asked of them, from when on the session's time runs anew."""
    row = this(request) if request.user.is_authenticated else None
    if row:
        Session.objects.live().filter(pk=row.pk).update(expires_at=_until())


def _until() -> datetime:
    return timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)


def _put_out(request: HttpRequest) -> None:
    request.session.flush()
    request.user = AnonymousUser()


# --- coming in


@transaction.atomic
def came_in(request: HttpRequest) -> None:
    """Writes down the session that has just begun, and tells its person if the browser is one that they never used before."""
    before = Session.objects.filter(user=cast(User, request.user))
    known = list(before.values_list("device_hash", flat=True).distinct()[:1000])
    row = _begin(request)
    if known and row.device_hash not in known:
        _tell(row)


def _begin(request: HttpRequest) -> Session:
    mark = browser.device(request) or secrets.token_urlsafe(32)
    device = device_of(request)
    row = Session.objects.create(
        user=cast(User, request.user),
        device_hash=tokens.hash_nonce(mark),
        browser=device.browser,
        system=device.system,
        address=_address(request),
        country=_country(request),
        expires_at=_until(),
    )
    request.session[ROW] = str(row.pk)
    setattr(request, MARK, mark)
    return row


def _tell(row: Session) -> None:
    letters.post(
        "new_sign_in",
        to=row.user.email,
        key=f"new_sign_in:{row.pk}",
        device=words(row),
        place=place(row),
        came_at=row.began_at,
        session=row.pk,
    )


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))[:45]


def _country(request: HttpRequest) -> str:
    """Two letters, if the proxy in front of us tells them; we ask nobody where an address is."""
    given = request.headers.get(settings.COUNTRY_HEADER, "") if settings.COUNTRY_HEADER else ""
    known = len(given) == 2 and given.isascii() and given.isalpha() and given.upper() != "XX"
    return given.upper() if known else ""


# --- telling


def words(row: Session) -> str:
    return str(Device(row.browser, row.system))


def place(row: Session) -> str:
    """The country if it is known, and the address of the network."""
    return " · ".join(part for part in (row.country, row.address) if part)


def sessions_of(user: User) -> list[Session]:
    """Where the person is signed in now, last seen first."""
    return list(Session.objects.live().filter(user=user).order_by("-seen_at", "pk")[:100])


def notice_way(context: dict[str, object]) -> str:
    """The path in the letter of a new sign-in, made when it is sent."""
    pk = str(context["session"])
    return f"/sign-ins/{pk}/{tokens.way_of(NOTICE, pk)}"


def noticed(pk: UUID, token: str) -> Session | None:
    """The session that the letter's link is about, also when it has ended."""
    right = tokens.is_way(NOTICE, str(pk), token)
    return Session.objects.select_related("user").filter(pk=pk).first() if right else None


# --- ending


@transaction.atomic
def end(*, row: Session, by: str) -> bool:
    """Ends one session at once; False if it had ended before."""
    if not Session.objects.live().filter(pk=row.pk).update(ended_at=timezone.now()):
        return False
    record_for_accounts("session.ended", row.user, by=by, device=words(row))
    return True


@transaction.atomic
def end_by_letter(*, row: Session) -> bool:
    """Whoever got the letter says that it was not them: also what the stranger may have asked for by mail is of no use then."""
    void_links(row.user.email)
    return end(row=row, by="letter")


@transaction.atomic
def end_all(*, user: User, but: UUID | None = None, by: str) -> int:
    """Ends every session of the person except `but`, also those that have no row yet; returns how many had one."""
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(signed_out_at=now)
    others = Session.objects.live().filter(user=user)
    n = (others.exclude(pk=but) if but else others).update(ended_at=now)
    if n:
        record_for_accounts("session.all_ended", user, by=by, n=n)
    return n


def void_links(*emails: str) -> None:
    """Links and codes that were sent to these addresses open nothing any more."""
    SignInLink.objects.filter(email__in=emails, used_at=None, void_at=None).update(void_at=timezone.now())


@transaction.atomic
def forget() -> int:
    """Rows of browsers that were not seen for KEPT leave, but never a person's newest; returns how many left."""
    newer = Session.objects.filter(user=OuterRef("user"), seen_at__gt=OuterRef("seen_at"))
    old = Session.objects.filter(seen_at__lt=timezone.now() - KEPT, expires_at__lt=timezone.now())
    return old.filter(Exists(newer)).delete()[0]
