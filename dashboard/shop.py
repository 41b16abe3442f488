"""What the public pages say of plans and places: read from the plans, so that a page cannot promise another thing."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.translation import ngettext

from dashboard import when
from servers.plans import PLACES, PLANS, Place, Plan, machine_types


@dataclass(frozen=True)
class Offer:
    plan: Plan
    buy: str
    backups: str


@dataclass(frozen=True)
class Choice:
    """A data centre, and the machines that a plan gets there."""

    place: Place
    machines: tuple[str, ...]


def offers() -> list[Offer]:
    return [Offer(plan, buy_link(plan), kept(plan.backups_kept)) for plan in PLANS.values()]


def buy_link(plan: Plan) -> str:
    """Gumroad's checkout with this plan chosen; `variant` and `wanted` are its parameters of a product link."""
    link = urlsplit(settings.GUMROAD_PRODUCT_URL)
    query = [*parse_qsl(link.query), ("variant", plan.name), ("wanted", "true")]
    return urlunsplit(link._replace(query=urlencode(query)))


def kept(length: timedelta) -> str:
    """A retention as the plans say it: a day is 24 hours, more are days."""
    return when.duration(length) if length > timedelta(days=1) else _hours(length)


def _hours(length: timedelta) -> str:
    hours = int(length.total_seconds()) // 3600
    return ngettext("%d hour", "%d hours", hours) % hours


def places() -> list[Place]:
    return list(PLACES.values())


def choices(plan: str) -> list[Choice]:
    """Where a server of this plan can stand."""
    return [Choice(place, machine_types(plan, place.key)) for place in PLACES.values()]


def manage_link(gumroad_id: str) -> str:
    """Where a buyer cancels, changes or renews; Gumroad's ids end with “==”."""
    return f"{settings.GUMROAD_SUBSCRIPTIONS_URL}/{quote(gumroad_id, safe='')}/manage"
