"""Times, figures and states in words."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard import figures, when, words
from servers.progress import Progress

register = template.Library()

register.filter("state_word", words.state)
register.filter("duration", when.duration)
register.filter("about", when.about)
register.filter("bytes", figures.size)
register.simple_tag(when.zone_name, name="zone_name")


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A point in time, for people and for machines."""
    return format_html('<time datetime="{}">{}</time>', _iso(at), when.moment(at)) if at else ""


@register.filter
def exact(at: datetime | None) -> SafeString | str:
    """A point in time as a document says it: the same on every day that it is read."""
    return format_html('<time datetime="{}">{}</time>', _iso(at), when.exact(at)) if at else ""


@register.filter
def day(at: datetime | None) -> SafeString | str:
    return format_html('<time datetime="{}">{}</time>', _iso(at), when.day(at)) if at else ""


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


@register.filter
def took(step: Progress) -> timedelta | None:
    """How long a step that is done took."""
    return step.ended_at - step.began_at if step.began_at and step.ended_at else None


@register.filter
def going(step: Progress) -> timedelta | None:
    """How long the current step has been going on."""
    return timezone.now() - step.began_at if step.began_at else None
