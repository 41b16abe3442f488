"""What others wish of this room: a ping kept and read, a server made for a subscription."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Account
from audit.actions import record
from billing.last_look import AskAgain
from billing.models import Ping, Subscription
from billing.programs import ApplyPing
from billing.reconcile import SUBJECT, Reconcile
from engine import actions as engine
from engine.at_once import insert_with_run
from servers import actions as fleet
from servers.models import Server
from servers.plans import PLANS, Plan


class HasEnded(ValueError):
    """Nothing is made for a subscription that has ended."""


class HasServer(ValueError):
    """A subscription pays for one server."""


def keep_ping(*, body: bytes, content_type: str) -> Ping:
    """The ping as it came, and the program that will read it; or neither."""
    ping = Ping(body=body, content_type=content_type[:100])
    insert_with_run(ping, ApplyPing, subject="ping:")
    return ping


@transaction.atomic
def read_again(*, ping: Ping, by: str, reason: str = "") -> None:
    """Has a ping read once more, when what was puzzling about it has been put right."""
    record("ping.read_again", by=by, subject=ping.subject, reason=reason)
    engine.start(ApplyPing, subject=ping.subject)


@transaction.atomic
def reconcile(*, by: str, reason: str = "") -> None:
    """Has what we hold compared with what Gumroad tells; one that is under way goes on."""
    record("gumroad.reconcile_asked", by=by, subject=SUBJECT, reason=reason)
    engine.start(Reconcile, subject=SUBJECT, args={"by": by})


@transaction.atomic
def ask_again(*, subscription: Subscription, by: str, reason: str = "") -> None:
    """Has Gumroad asked about one subscription."""
    record(
        "subscription.asked_again",
        by=by,
        account=subscription.account_id,
        subject=subscription.subject,
        reason=reason,
    )
    engine.start(AskAgain, subject=subscription.subject)


@transaction.atomic
def make_server(*, subscription: Subscription, name: str, place: str, by: str) -> Server:
    """The server that this subscription pays for. Raises HasEnded, HasServer, or what want_server raises."""
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if row.status == Subscription.Status.ENDED:
        raise HasEnded(_("This subscription has ended. Renew it or choose a plan, then make your server."))
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
