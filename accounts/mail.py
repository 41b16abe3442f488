"""What a letter becomes when it is sent: the message, and what the mail server's answer means."""

import re
import smtplib
from datetime import datetime
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string

from accounts import tokens
from accounts.models import Letter, SignInLink, User
from clients.errors import ClientError, Refused, TryLater

LINK = "sign_in_link"  # the name in a letter's context that holds the id of a SignInLink
ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

BLANKS = re.compile(r"\n{3,}")


class LetterRefused(Refused):
    """The mail server will never take this letter for this address."""


def useless(letter: Letter) -> str:
    """Why the letter should not be sent any more, or nothing."""
    if User.objects.filter(email=letter.to, is_active=False).exists():
        return "the person may not sign in"
    if letter.kind == "sign_in" and _live_link(letter) is None:
        return "its link is used, replaced or too old"
    if letter.kind in settings.LETTER_WAYS and not _way_of_another_room(letter):
        return "its link is used, replaced or too old"
    return ""


def _way_of_another_room(letter: Letter) -> str:
    """Rooms above us have links with secrets of their own, which are made only here, when the letter is sent."""
    return str(import_string(settings.LETTER_WAYS[letter.kind])(letter.context))


def compose(letter: Letter) -> EmailMultiAlternatives:
    """The message. Its id and date come from the row, so that a letter sent again is the same message."""
    words = {**_revived(letter.context), **_way(letter), **_given(letter)}
    with translation.override(settings.LANGUAGE_CODE):
        subject, _, text = render_to_string(f"letters/{letter.kind}.txt", words).strip().partition("\n")
        html = render_to_string(f"letters/{letter.kind}.html", {**words, "subject": subject.strip()})
    message = EmailMultiAlternatives(
        subject=subject.strip(),
        body=BLANKS.sub("\n\n", text).strip() + "\n",
        to=[letter.to],
        headers=_headers(letter),
    )
    message.attach_alternative(html, "text/html")
    return message


def _given(letter: Letter) -> dict[str, Any]:
    """What any letter may speak of."""
    minutes = int(settings.SIGN_IN_LINK_LIFE.total_seconds() // 60)
    return {"to": letter.to, "site": settings.BASE_URL, "minutes": minutes}


def _revived(context: dict[str, Any]) -> dict[str, Any]:
    """Moments are kept as ISO text under `due` or a name that ends in `_at`."""
    return {name: _moment(value) if _is_moment(name) else value for name, value in context.items()}


def _is_moment(name: str) -> bool:
    return name == "due" or name.endswith("_at")


def _moment(value: str) -> datetime | str:
    return parse_datetime(value) or value


def _way(letter: Letter) -> dict[str, str]:
    """The letter's one next step; the token that it may hold exists only here and in the mail."""
    if letter.kind in settings.LETTER_WAYS:
        return {"link": absolute(_way_of_another_room(letter))}
    if LINK not in letter.context:
        return {"link": absolute(letter.context.get("url", "/overview"))}
    link = _live_link(letter)
    if link is None:
        return {"link": absolute("/sign-in?" + urlencode({"next": letter.context.get("goes_to", "")}))}
    return {
        "link": absolute(f"/sign-in/link/{tokens.token_of(link.pk)}"),
        "code": tokens.code_of(link.pk) if link.browser_hash else "",
    }


def _live_link(letter: Letter) -> SignInLink | None:
    """Its link if that still opens; a token derived under another SECRET_KEY than the row's would not."""
    link = SignInLink.objects.live().filter(pk=UUID(letter.context[LINK])).first()
    if link and tokens.hash_token(tokens.token_of(link.pk)) == link.token_hash:
        return link
    return None


def absolute(path: str) -> str:
    """Addresses are made of our setting and never of what a request claims."""
    return path if path.startswith(("https://", "http://")) else settings.BASE_URL + path


def _headers(letter: Letter) -> dict[str, str]:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return {
        "Message-ID": f"<{letter.pk}@{domain}>",
        "Date": format_datetime(letter.written_at),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def deliver(message: EmailMultiAlternatives) -> None:
    """Hands the message to the mail server. Raises LetterRefused, or TryLater also where the fault is our own setting."""
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _refused(code, words) from None
    except smtplib.SMTPDataError as error:
        raise _refused(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPResponseException as error:
        raise TryLater(f"the mail server refuses us: {_numbers(error.smtp_code, error.smtp_error)}") from None
    except OSError as error:  # of which smtplib's own are a kind
        raise TryLater(f"the mail server could not be reached: {type(error).__name__}") from None


def _refused(code: int, words: bytes | str) -> ClientError:
    says = _numbers(code, words)
    if 500 <= code < 600:
        return LetterRefused(f"the mail server refused it: {says}", code=str(code))
    return TryLater(f"the mail server wants it later: {says}", code=str(code))


def _numbers(code: int, words: bytes | str) -> str:
    """Of the server's words only the numbers are kept: the rest may quote the letter, and with it a link."""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    found = ENHANCED.search(text)
    return f"{code} {found.group()}" if found else str(code)
