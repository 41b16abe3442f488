"""Parts of a page that ask again: what they show, how soon they ask, and 304 while nothing has changed."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import parse_etags
from django.utils.safestring import SafeString

QUICK = 2  # seconds, while something happens
SLOW = 20  # seconds, while nothing does
RARE = 300  # seconds, where nothing will happen any more


@dataclass(frozen=True)
class Part:
    """`says` is what a screen reader tells when it changes; `poll` in seconds."""

    key: str
    url: str
    poll: int
    says: str
    html: SafeString

    @property
    def etag(self) -> str:
        return sha256(f"{self.poll}|{self.says}|{self.html}".encode()).hexdigest()[:24]


def part(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    key: str,
    url: str,
    poll: int,
    says: str = "",
) -> Part:
    """Renders the part; a page shows it by including parts/live.html."""
    return Part(key, url, poll, says, render_to_string(template, context, request))


def answer(request: HttpRequest, one: Part) -> HttpResponse:
    """The part alone, or 304 if it is what the asker has."""
    asked = {
        tag.removeprefix("W/").strip('"') for tag in parse_etags(request.headers.get("If-None-Match", ""))
    }
    if one.etag in asked:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(render_to_string("parts/live.html", {"part": one}))
    response.headers["ETag"] = f'"{one.etag}"'
    return response
