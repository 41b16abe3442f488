"""Keeps the address that pings go to out of what is shown: an error page of the receiver likes to repeat it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

SHORTEST_SECRET = 8
HIDDEN = "(hidden)"


def hide(text: str, url: str) -> str:
    """The text without the long words of that address, however they are written there."""
    for word in sorted(_words(url), key=len, reverse=True):
        text = text.replace(word, HIDDEN)
    return text


def _words(url: str) -> set[str]:
    parts = urlsplit(url)
    words = [*parts.path.split("/"), parts.query, parts.username or "", parts.password or ""]
    return {form for word in words for form in (word, unquote(word)) if len(form) >= SHORTEST_SECRET}
