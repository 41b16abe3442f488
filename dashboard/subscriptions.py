"""What is paid for, what of it waits for a server, and what happens when."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as lazy

from accounts.models import Account
from billing import keeping, policy
from billing.models import Subscription
from dashboard import shop
from servers import plan_changes
from servers.desired import host_name
from servers.models import PlanChange, Server
from servers.plans import PLANS, Plan

CHARGED = {  # Gumroad's words; its “biannually” is twice a year
    "monthly": lazy("every month"),
    "quarterly": lazy("every three months"),
    "biannually": lazy("every six months"),
    "yearly": lazy("every year"),
    "every_two_years": lazy("every two years"),
}


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
    def is_there(self) -> bool:
        """Whether it has a server that can still be looked at."""
        return bool(self.subscription.server and not self.subscription.server.gone_at)

    @property
    def renews(self) -> bool:
        """Whether Gumroad may start it again; else only a new subscription keeps its server."""
        return policy.renews(self.subscription.ended_reason)

    @property
    def charged(self) -> str:
        """How often, in words; nothing for a word of Gumroad's that is not known."""
        return str(CHARGED.get(self.subscription.recurrence, ""))

    @property
    def next_plan(self) -> Plan | None:
        """What the next charge is announced to be for."""
        row = self.subscription
        return PLANS.get(row.next_plan) if row.next_plan not in ("", row.plan) else None

    @cached_property
    def change(self) -> PlanChange | None:
        """Of the server, where it is not yet what is paid for."""
        server = self.subscription.server
        return plan_changes.living(server) if server and self.is_there else None

    @property
    def change_before(self) -> Plan | None:
        return PLANS[self.change.before] if self.change else None

    @property
    def change_after(self) -> Plan | None:
        return PLANS[self.change.after] if self.change else None

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


@dataclass(frozen=True)
class Ending:
    """A server that waits for its deletion, and can be kept with a subscription that has none."""

    server: Server

    @property
    def host(self) -> str:
        return host_name(self.server)

    @property
    def due_at(self) -> datetime:
        return self.server.destruction.due_at


def ending(account: Account) -> list[Ending]:
    """The next to go first."""
    return [Ending(server) for server in keeping.ending(account)[:100]]


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
