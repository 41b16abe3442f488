"""The way that a letter of invitation leads, made when it is sent; accounts/mail.py asks by settings.LETTER_WAYS."""

from typing import Any
from uuid import UUID

from domains import tokens
from domains.models import Invitation


def way(context: dict[str, Any]) -> str:
    """The path of the page where the password is chosen; nothing if the invitation no longer opens it."""
    row = Invitation.objects.live().filter(pk=UUID(context["invitation"])).first()
    token = tokens.token_of(row.pk) if row else ""
    return f"/mailbox/{token}" if row and tokens.hash_token(token) == row.token_hash else ""
