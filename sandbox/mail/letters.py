"""Reads a message for people, whatever its sender made of it: a mailbox shows also what is badly written."""

from __future__ import annotations

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import cast

LINK = re.compile(r"https?://[^\s<>\"')\]]+")
ENDS_A_SENTENCE = ".,;:!?"


def parsed(raw: bytes) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(raw, policy=email.policy.default))


def header(message: EmailMessage, name: str) -> str:
    """Its words on one line; as they were written where they break the rules for headers."""
    return next((words for key, words in headers(message) if key.lower() == name.lower()), "")


def headers(message: EmailMessage) -> list[tuple[str, str]]:
    """Not by the library's parser of addresses and ids, which fails at some that are none."""
    return [(_readable(name), _words(_readable(str(value)))) for name, value in message.raw_items()]


def _readable(text: str) -> str:
    """Bytes that are no ASCII are UTF-8 or cannot be shown."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _words(written: str) -> str:
    line = " ".join(written.split())
    try:
        return _readable(str(make_header(decode_header(line))))
    except (ValueError, LookupError):  # no such encoding, or not encoded so
        return line


def text_of(message: EmailMessage) -> str:
    return _content(message, "plain")


def html_of(message: EmailMessage) -> str:
    return _content(message, "html")


def _content(message: EmailMessage, kind: str) -> str:
    part = next((part for part in message.walk() if part.get_content_type() == f"text/{kind}"), None)
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # no such character set
        return raw.decode("utf-8", "replace")


def links(text: str) -> list[str]:
    return [found.group().rstrip(ENDS_A_SENTENCE) for found in LINK.finditer(text)]


def linked(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with the address that it links to, or none."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for found in LINK.finditer(text):
        link = found.group().rstrip(ENDS_A_SENTENCE)
        pieces += [(text[at : found.start()], ""), (link, link)]
        at = found.start() + len(link)
    return [*pieces, (text[at:], "")]
