"""The SMTP password that follows from a secret. Source: docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html."""

from __future__ import annotations

import base64
import hashlib
import hmac

SIGNED = ("11111111", "ses", "aws4_request", "SendRawEmail")
VERSION = b"\x04"


def smtp_password(secret: str, region: str) -> str:
    """44 characters; another secret or region gives another."""
    date, *rest = SIGNED
    key = f"AWS4{secret}".encode()
    for word in (date, region, *rest):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return base64.b64encode(VERSION + key).decode()
