"""How the staff's site looks: Unfold's settings. The colour is the product's stamping ink, as in static/css/tokens.css."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

INK = {
    "50": "oklch(97.5% .01 264)",
    "100": "oklch(94.5% .022 264)",
    "200": "oklch(89% .045 264)",
    "300": "oklch(82% .075 263)",
    "400": "oklch(79% .1 262)",
    "500": "oklch(75% .11 262)",
    "600": "oklch(44% .15 264)",
    "700": "oklch(38% .145 264)",
    "800": "oklch(33% .13 264)",
    "900": "oklch(28% .1 264)",
    "950": "oklch(22% .06 264)",
}
# What is looked at most stands first; each row is a list's title, its model and its picture.
LISTS = {
    "": (("Alarms", "engine.alarm", "notifications"), ("Runs", "engine.run", "play_circle")),
    "Customers": (
        ("Accounts", "accounts.account", "groups"),
        ("People", "accounts.user", "person"),
        ("Letters", "accounts.letter", "mail"),
    ),
    "Servers": (("Servers", "servers.server", "dns"), ("Destructions", "servers.destruction", "auto_delete")),
    "Money": (
        ("Subscriptions", "billing.subscription", "credit_card"),
        ("Pings of Gumroad", "billing.ping", "webhook"),
    ),
    "Evidence": (("Events", "audit.event", "history"), ("Receipts", "audit.receipt", "verified")),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The lists that this person may see."""
    may = request.user.has_perm
    first = [{"title": "What needs a person", "icon": "home", "link": reverse("admin:index")}]
    groups: list[dict[str, Any]] = [{"items": first}]
    for title, lists in LISTS.items():
        shown = [_item(*one) for one in lists if may(one[1].replace(".", ".view_"))]
        groups += [{"title": title, "items": shown}] if shown else []
    return groups


def _item(title: str, model: str, icon: str) -> dict[str, Any]:
    link = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "badge": open_alarms() if model == "engine.alarm" else 0,
    }


def open_alarms() -> int:
    """Counted for every page, by an index that holds only the open ones."""
    from engine.models import Alarm

    return Alarm.objects.filter(closed_at=None).count()


def logo(request: HttpRequest) -> str:
    return static("img/logo.svg")


UNFOLD = {
    "SITE_TITLE": "Mailat staff",
    "SITE_HEADER": "Mailat",
    "SITE_SUBHEADER": "staff",
    "SITE_ICON": logo,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}
    ],
    "STYLES": [lambda request: static("css/staff.css")],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": False,
    "DASHBOARD_CALLBACK": "mailat.staff_site.dashboard",
    "SIDEBAR": {"navigation": navigation},
    "COLORS": {"primary": INK},
}
