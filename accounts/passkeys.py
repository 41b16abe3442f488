"""Passkeys: what a browser is asked, and whether what it answers is right (https://www.w3.org/TR/webauthn-3/).

A question is asked for one purpose in one session, and answered once.
"""

import time
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.mfa import Adapter
from accounts.mfa_forms import PasskeyForm
from accounts.models import User

ADD, SIGN_IN, SECOND, PROVE = "add", "sign_in", "second", "prove"
SESSION = "passkey"  # the session's name for the question that waits
LIFE = 300  # seconds
MOST = 20  # of one person
EXTENSIONS = {"credProps": True}  # tells whether it can sign in without an address


def of(user: AbstractBaseUser) -> list[Authenticator]:
    rows = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN)
    return list(rows.order_by("created_at", "pk"))


def has_any(user: AbstractBaseUser) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN).exists()


# --- asking


def ask_new(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey. One without a PIN will do, as a second factor."""
    person = PublicKeyCredentialUserEntity(
        id=str(user.pk).encode(), name=user.email, display_name=user.name or user.email
    )
    options, state = _server().register_begin(
        person,
        credentials=_credentials(of(user)),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        extensions=EXTENSIONS,
    )
    return _asked(request, ADD, options, state)


def ask(request: HttpRequest, purpose: str, user: AbstractBaseUser | None = None) -> dict[str, Any]:
    """What the browser needs to show a passkey; of nobody in particular it must know its holder, by PIN or finger."""
    options, state = _server().authenticate_begin(
        credentials=_credentials(of(user)) if user else None,
        user_verification=UserVerificationRequirement.PREFERRED
        if user
        else UserVerificationRequirement.REQUIRED,
    )
    return _asked(request, purpose, options, state)


def _asked(request: HttpRequest, purpose: str, options: Any, state: dict[str, Any]) -> dict[str, Any]:
    request.session[SESSION] = {"purpose": purpose, "at": time.time(), "state": state}
    return dict(options)


def _question(request: HttpRequest, purpose: str) -> dict[str, Any] | None:
    """What was asked for this purpose, which is forgotten with this."""
    waits = request.session.pop(SESSION, None)
    if not waits or waits["purpose"] != purpose or not 0 <= time.time() - waits["at"] < LIFE:
        return None
    return cast(dict[str, Any], waits["state"])


def _server() -> Fido2Server:
    """Answers for our own address alone: the library would also take that of any host below it."""
    rp = PublicKeyCredentialRpEntity(**Adapter().get_public_key_credential_rp_entity())
    return Fido2Server(rp, verify_origin=lambda origin: origin == site())


def site() -> str:
    """Our address as a browser names it: no path, and no port that goes without saying."""
    parts = urlsplit(settings.BASE_URL)
    usual = {"https": 443, "http": 80}.get(parts.scheme) == parts.port
    return f"{parts.scheme}://{parts.hostname if usual else parts.netloc}"


def _credentials(rows: list[Authenticator]) -> list[AttestedCredentialData]:
    return [_credential(row) for row in rows]


def _credential(row: Authenticator) -> AttestedCredentialData:
    made = RegistrationResponse.from_dict(row.data["credential"])
    return cast(AttestedCredentialData, made.response.attestation_object.auth_data.credential_data)


# --- answers


def check_new(request: HttpRequest, form: PasskeyForm) -> dict[str, Any] | None:
    """What to keep of a new passkey; None, with the reason on the form, if it is none."""
    state = _question(request, ADD)
    if not form.is_valid():
        return None
    answer = form.cleaned_data["credential"]
    try:
        made = _server().register_complete(state, answer) if state else None
    except Exception:  # whatever a parser of foreign bytes may raise
        made = None
    if made is None:
        form.wrong()
        return None
    return {"credential": answer, "count": made.counter, "knows_holder": made.is_user_verified()}


def check(
    request: HttpRequest, purpose: str, form: PasskeyForm, user: User | None = None
) -> Authenticator | None:
    """The passkey of the person that was shown; None, with the reason on the form, if none or not theirs."""
    state = _question(request, purpose)
    row = _checked(state, form.cleaned_data["credential"], user) if form.is_valid() and state else None
    if row is None and not form.errors:
        form.wrong()
    return row


def _checked(state: dict[str, Any], answer: dict[str, Any], user: User | None) -> Authenticator | None:
    try:
        holder = user or User.objects.filter(pk=_holder(answer), is_active=True).first()
        rows = {_credential(row).credential_id: row for row in of(holder)} if holder else {}
        shown = _server().authenticate_complete(state, _credentials(list(rows.values())), answer)
        count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except Exception:  # whatever a parser of foreign bytes may raise
        return None
    return _count(rows[shown.credential_id], count)


def _holder(answer: dict[str, Any]) -> int:
    """As whom the passkey was made."""
    return int(websafe_decode(answer["response"]["userHandle"]))


@transaction.atomic
def _count(known: Authenticator, count: int) -> Authenticator | None:
    """A passkey that counts, and counts backwards, is a copy (https://www.w3.org/TR/webauthn-3/#sctn-sign-counter)."""
    row = Authenticator.objects.select_for_update().filter(pk=known.pk).first()
    if row is None or (max(count, row.data.get("count", 0)) and count <= row.data.get("count", 0)):
        return None
    row.data["count"] = count
    row.save(update_fields=["data"])
    row.record_usage()
    return row
