"""What is paid for, what of it waits for a server, and what happens when."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from accounts.models import Account
from billing.models import Subscription
from dashboard import shop
from servers.desired import host_name
from servers.plans import PLANS, Plan


@dataclass(frozen=True)
class Paid:
    """A subscription as the billing page tells it."""

    subscription: Subscription
    plan: Plan
    manage: str

    @property
    def host(self) -> str:
        return host_name(self.subscription.server) if self.subscription.server else ""

    @property
    def deleted_at(self) -> datetime | None:
        """The day on which the server goes, if that is known."""
        row, server = self.subscription, self.subscription.server
        if server is None or server.gone_at:
            return None
        destruction = getattr(server, "destruction", None)
        if destruction:
            return destruction.due_at
        return row.ends_at + settings.DESTRUCTION_GRACE if row.ends_at and row.status == "ending" else None


def paid(account: Account) -> list[Paid]:
    """The subscriptions of the account, the newest first."""
    rows = Subscription.objects.filter(account=account).select_related("server", "server__destruction")
    return [as_paid(row) for row in rows.order_by("-began_at", "id")[:100]]


def as_paid(row: Subscription) -> Paid:
    return Paid(row, PLANS[row.plan], shop.manage_link(row.gumroad_id))


def without_server(account: Account) -> list[Paid]:
    """Subscriptions that are paid for and have no server yet, the oldest first."""
    rows = Subscription.objects.filter(account=account).exclude(status=Subscription.Status.ENDED)
    waiting = rows.filter(Q(server=None) | Q(server__gone_at__isnull=False))
    return [as_paid(row) for row in waiting.order_by("began_at", "id")[:100]]
