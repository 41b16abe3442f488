"""What a person can prove themselves by besides their mail: passkeys, an app's codes, recovery codes; their secrets are kept encrypted."""

import base64
import os
import time
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts.models import User

Type = Authenticator.Type
PERIOD = 30  # seconds that one code of an app is for (https://www.rfc-editor.org/rfc/rfc6238#section-5.2)
DRIFT = 1  # periods by which a telephone's clock may be wrong
APP_DIGITS = 6
PURPOSE = b"mailat accounts.mfa 1"
NONCE = 12  # bytes


class Unreadable(ValueError):
    """It was encrypted under another SECRET_KEY, or changed since."""


class Adapter(DefaultMFAAdapter):
    """How allauth is told our ways about second factors."""

    def encrypt(self, text: str) -> str:
        nonce = os.urandom(NONCE)
        sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, text.encode(), PURPOSE)
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises Unreadable."""
        sealed = base64.b64decode(encrypted_text)
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return AESGCM(_key(secret)).decrypt(sealed[:NONCE], sealed[NONCE:], PURPOSE).decode()
            except InvalidTag:
                continue
        raise Unreadable("A second factor cannot be read under this SECRET_KEY.")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Of our setting and never of what a request claims."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": settings.MFA_TOTP_ISSUER}

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Our own letters tell of it."""


def _key(secret: str) -> bytes:
    """256 bits for this purpose alone (https://www.rfc-editor.org/rfc/rfc5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())


def has_second_factor(user: AbstractBaseUser) -> bool:
    """Whether a mail alone is not enough to be this person; recovery codes without a factor count for nothing."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=(Type.TOTP, Type.WEBAUTHN)).exists()


def factors_of(user: AbstractBaseUser) -> list[Authenticator]:
    """Oldest first."""
    return list(Authenticator.objects.filter(user_id=user.pk).order_by("created_at", "pk"))


def takes_codes(user: AbstractBaseUser) -> bool:
    """Whether there is anything that could be typed."""
    return Authenticator.objects.filter(user_id=user.pk).exclude(type=Type.WEBAUTHN).exists()


@transaction.atomic
def spend_code(user: User, typed: str) -> Authenticator | None:
    """The factor that the code belongs to, if it is right; no code is taken twice."""
    rows = Authenticator.objects.select_for_update().filter(user_id=user.pk)
    for row in rows.filter(type__in=(Type.TOTP, Type.RECOVERY_CODES)).order_by("pk"):
        right = (
            _spend_app_code(row, typed) if row.type == Type.TOTP else RecoveryCodes(row).validate_code(typed)
        )
        if right:
            used = Authenticator.objects.select_related("user").get(pk=row.pk)
            used.record_usage()
            return used
    return None


def _spend_app_code(row: Authenticator, typed: str) -> bool:
    """A code that was seen over a shoulder is of no use: its period, and all before it, are over."""
    secret, spent = Adapter().decrypt(row.data["secret"]), row.data.get("period", 0)
    period = period_of(secret, typed)
    if period <= spent:
        return False
    row.data["period"] = period
    row.save(update_fields=["data"])
    return True


def period_of(secret: str, typed: str) -> int:
    """Which period's code it is, near now; 0 if none's."""
    code = "".join(letter for letter in typed if letter.isalnum())
    now = int(time.time()) // PERIOD
    found = [one for one in range(now - DRIFT, now + DRIFT + 1) if _is_code(secret, one, code)]
    return found[-1] if found else 0


def _is_code(secret: str, period: int, code: str) -> bool:
    return constant_time_compare(format_hotp_value(hotp_value(secret, period)), code)
