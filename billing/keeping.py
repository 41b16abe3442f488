"""A server that waits for its deletion is kept with another subscription, where Gumroad does not start the old one again."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Account
from billing import charges
from billing.events import note
from billing.models import Subscription
from servers import actions as fleet
from servers.models import Server

Status = Subscription.Status


class CannotKeep(ValueError):
    """The server does not stay with this subscription; the text says why and what to do, for people."""


def ending(account: Account) -> QuerySet[Server]:
    """The account's servers that wait for their deletion because what paid for them has ended, the next to go first."""
    waiting = Server.objects.filter(account=account, gone_at=None, subscription__status=Status.ENDED)
    waiting = waiting.filter(destruction__isnull=False, destruction__begun_at=None)
    return waiting.select_related("destruction", "subscription").order_by("destruction__due_at", "pk")


def only_ending(account: Account) -> Server | None:
    """The one that waits, where it is certain which one is meant."""
    found = list(ending(account)[:2])
    return found[0] if len(found) == 1 else None


@transaction.atomic
def take_over(*, server: Server, subscription: Subscription, by: str) -> None:
    """The server stays and is paid for by this subscription from now on; saying so again changes nothing.

    Raises CannotKeep. Both subscriptions are held, so neither an answer of Gumroad's nor another wish comes between.
    """
    rows = Subscription.objects.select_for_update(of=["self"]).select_related("server")
    held = list(rows.filter(Q(pk=subscription.pk) | Q(server=server)).order_by("pk"))
    new = next(row for row in held if row.pk == subscription.pk)
    before = next((row for row in held if row.server_id == server.pk), None)
    _may_keep(new, server)
    if new == before:
        return
    if before is None or before.status != Status.ENDED or before.account_id != new.account_id:
        raise CannotKeep(
            _("“%s” is not going to be deleted, so it needs no other subscription.") % server.name
        )
    if not fleet.keep_server(server=server, by=by):
        raise CannotKeep(
            _("It is too late: the deletion of “%s” has begun. Make a new server with your subscription.")
            % server.name
        )
    before.server = None
    before.save(update_fields=["server"])
    new.server = Server.objects.get(pk=server.pk)
    new.save(update_fields=["server"])
    note("server_kept", new, by, server=str(server.pk), name=server.name, instead_of=str(before.pk))
    fleet.look_again(server=server)
    charges.fit(new, by, always=True)


def _may_keep(row: Subscription, server: Server) -> None:
    if row.status == Status.ENDED:
        raise CannotKeep(
            _("That subscription has ended. Choose a plan first, then keep your server with it.")
        )
    if row.server and row.server != server and not row.server.gone_at:
        raise CannotKeep(
            _("That subscription already has its server, “%s”. Choose a plan for another one.")
            % row.server.name
        )
