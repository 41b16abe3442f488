"""What others wish of this room: a ping kept and read, a server made for a subscription."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Account
from audit.actions import record
from billing.models import Ping, Subscription
from billing.programs import ApplyPing
from engine import actions as engine
from servers import actions as fleet
from servers.models import Server
from servers.plans import PLANS, Plan


class HasEnded(ValueError):
    """Nothing is made for a subscription that has ended."""


class HasServer(ValueError):
    """A subscription pays for one server."""


@transaction.atomic
def keep_ping(*, body: bytes, content_type: str) -> Ping:
    """The ping as it came, and the program that will read it; or neither."""
    ping = Ping.objects.create(body=body, content_type=content_type[:100])
    engine.start(ApplyPing, subject=ping.subject)
    return ping


@transaction.atomic
def read_again(*, ping: Ping, by: str) -> None:
    """Has a ping read once more, when what was puzzling about it has been put right."""
    record("ping.read_again", by=by, subject=ping.subject)
    engine.start(ApplyPing, subject=ping.subject)


@transaction.atomic
def make_server(*, subscription: Subscription, name: str, place: str, by: str) -> Server:
    """The server that this subscription pays for. Raises HasEnded, HasServer, or what want_server raises."""
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if row.status == Subscription.Status.ENDED:
        raise HasEnded(_("This subscription has ended. Renew it, then make your server."))
    if row.server and not row.server.gone_at:
        raise HasServer(_("This subscription already has its server, “%s”.") % row.server.name)
    server = fleet.want_server(account=row.account, name=name, place=place, plan=row.plan, by=by)
    row.server = server
    row.save(update_fields=["server"])
    return server


def plan_of(subscription: Subscription) -> Plan:
    return PLANS[subscription.plan]


def subscriptions_of(account: Account) -> QuerySet[Subscription]:
    """The account's subscriptions with their servers, the newest first."""
    return Subscription.objects.filter(account=account).select_related("server").order_by("-began_at", "pk")
