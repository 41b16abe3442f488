"""What every page's frame asks: how it should look, and which page it is."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
OF_BACKUPS = re.compile(r"/servers/[^/]+(?=/(backups|exports|rebuild)(/|$))")


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> SafeString | str:
    """The reader's choice of light or dark, as an attribute; nothing where the system decides."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    return format_html(' data-theme="{}"', chosen) if chosen in {"light", "dark"} else ""


@register.simple_tag(takes_context=True)
def here(context: template.Context, *paths: str) -> SafeString | str:
    """Marks the link to the part of the site that the reader is in."""
    request = context.get("request")
    path = _part_of(request.path) if request else ""
    if not path.startswith(paths):
        return ""
    exact = "page" if path == paths[0] else "true"
    return format_html(' aria-current="{}"', exact)


def _part_of(path: str) -> str:
    """Backups of a server are a part of their own."""
    return f"/backups{path}" if OF_BACKUPS.match(path) else path
