"""Folders as mail programs show them; on a host they have Maildir++'s names."""

import base64
import re

from django.utils.translation import gettext as _

from dashboard.backups.said import clean

SHIFTED = re.compile(r"&([^-]*)-")


def shown(name: str) -> str:
    """`.Sent` is Sent, `.Work.2026` is Work/2026, nothing is the inbox; names may be in the UTF-7 of RFC 3501, 5.1.3."""
    return "/".join(_plain(part) for part in name.strip(".").split(".")) if name else _("Inbox")


def _plain(part: str) -> str:
    try:
        return clean(SHIFTED.sub(lambda found: _shifted(found[1]), part))
    except (ValueError, UnicodeDecodeError):
        return clean(part)


def _shifted(coded: str) -> str:
    if not coded:
        return "&"
    text = coded.replace(",", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-16-be")
