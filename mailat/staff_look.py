"""How the staff's site looks: Unfold's settings. Its colours are in static/css/staff-colors.css."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

# What is looked at most stands first; each row is a list's title, its model and its picture.
LISTS = {
    "": (("Alarms", "engine.alarm", "notifications"), ("Runs", "engine.run", "play_circle")),
    "Customers": (
        ("Accounts", "accounts.account", "groups"),
        ("People", "accounts.user", "person"),
        ("Letters", "accounts.letter", "mail"),
    ),
    "Servers": (
        ("Servers", "servers.server", "dns"),
        ("Changes of plan", "servers.planchange", "swap_vert"),
        ("Suspended sending", "servers.suspension", "block"),
        ("Destructions", "servers.destruction", "auto_delete"),
    ),
    "Their mail": (
        ("Domains", "domains.domain", "language"),
        ("Mailboxes", "domains.mailbox", "inbox"),
        ("Ways out", "domains.wayout", "outbound"),
        ("Test letters", "domains.letter", "outgoing_mail"),
        ("Deleted mail", "domains.erasure", "delete_forever"),
    ),
    "Their accounts at Amazon": (
        ("Access keys", "sending.credentials", "vpn_key"),
        ("Accounts at Amazon", "sending.standing", "cloud"),
        ("Domains at Amazon", "sending.identity", "dns"),
        ("Channels for reports", "sending.topic", "rss_feed"),
        ("Messages of Amazon", "sending.notice", "mark_email_read"),
        ("Bounces and complaints", "sending.feedback", "undo"),
        ("Suppression lists", "sending.suppression", "unsubscribe"),
        ("Addresses that prove themselves", "sending.tester", "how_to_reg"),
        ("Told of Amazon", "sending.worry", "mark_email_read"),
    ),
    "Money": (
        ("Subscriptions", "billing.subscription", "credit_card"),
        ("Pings of Gumroad", "billing.ping", "webhook"),
        ("Reconciliations", "billing.reconciliation", "rule"),
    ),
    "Vault": (("Secrets", "vault.secret", "lock"), ("Keys", "vault.key", "key")),
    "Evidence": (
        ("Events", "audit.event", "history"),
        ("Receipts", "audit.receipt", "verified"),
        ("What staff did", "audit.deed", "gavel"),
        ("What broke", "audit.fault", "bug_report"),
    ),
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


def own_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """What staff have of the customers' site: who can get in as them, and where they are in."""
    return [
        {"title": "Where you are signed in", "link": reverse("account-sessions")},
        {"title": "Who can get in as you", "link": reverse("security")},
    ]


def logo(request: HttpRequest) -> str:
    return static("img/logo.svg")


def no_colors(request: HttpRequest) -> dict[str, Any]:
    """Unfold would write them into the page as a style, which the policy of the staff's site forbids."""
    return {}


UNFOLD = {
    "SITE_TITLE": "Mailat staff",
    "SITE_HEADER": "Mailat",
    "SITE_SUBHEADER": "staff",
    "SITE_ICON": logo,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}
    ],
    "STYLES": [lambda request: static("css/staff-colors.css"), lambda request: static("css/staff.css")],
    "SCRIPTS": [lambda request: static("js/staff.js")],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": False,
    "DASHBOARD_CALLBACK": "mailat.staff_site.dashboard",
    "ACCOUNT": {"navigation": own_pages},
    "SIDEBAR": {"navigation": navigation},
    "COLORS": no_colors,
}
