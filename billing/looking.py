"""Asking Gumroad anew about one subscription, and carrying out what has changed."""

from dataclasses import dataclass
from typing import Any

from billing import charges, life
from billing.models import Subscription
from billing.offer import check_sale
from billing.puzzle import Puzzle, solved
from clients.errors import Gone
from clients.gumroad import Gumroad, Sale, Subscriber

FACTS = ("status", "ends_at", "ended_at", "plan", "charged_at", "next_plan", "returned", "server_id")


@dataclass(frozen=True)
class Look:
    """What came of it; `was_right` says that nothing had to be changed."""

    row: Subscription
    was_right: bool


def look(gumroad: Gumroad, gumroad_id: str, *, sale_id: str = "", by: str) -> Look | None:
    """None if somebody else is at it just now. Raises Puzzle, Gone, TryLater or Refused.

    `sale_id` is of a charge that may say something new.
    """
    if not life.take_turn(gumroad_id):
        return None
    told = gumroad.sale(sale_id) if sale_id else None
    if told:
        check_sale(told)
    subscriber = gumroad.subscriber(gumroad_id)
    sale = newest_sale(gumroad, subscriber, told)
    before = facts(gumroad_id)
    row = life.apply_subscriber(subscriber=subscriber, sale=sale, by=by)
    charges.see_older(row, told, sale)
    if sale:
        charges.apply_sale(subscription=row, sale=sale, by=by)
    charges.fit(row, by)
    solved(
        f"vanished:{gumroad_id}",
        f"product:{subscriber.product_id}",
        *(f"sale:{one.id}" for one in (told, sale) if one),
    )
    return Look(row, facts(gumroad_id) == before)


def newest_sale(gumroad: Gumroad, subscriber: Subscriber, told: Sale | None) -> Sale | None:
    """The newest charge, which says what is paid for and whether that money is still ours; `told` is one that was read.

    Whatever else is asked about, this is read as well: once a subscription has ended, nothing else leads to it again. One
    that the API does not show keeps nobody from following where a subscription that we know stands. Raises Gone or Puzzle.
    What somebody received as a gift is no charge: its money is in the giver's sale, some seconds older.
    """
    told = None if told and told.received else told
    last = subscriber.purchase_ids[-1] if subscriber.purchase_ids else ""
    if not last or (told and told.id == last):
        return told
    try:
        sale = gumroad.sale(last)
    except Gone:
        if told or Subscription.objects.filter(gumroad_id=subscriber.id).exists():
            return told
        raise
    check_sale(sale)
    is_older = told and told.created_at and sale.created_at and sale.created_at < told.created_at
    return told if is_older else sale


def vanished(gumroad_id: str) -> Puzzle:
    return Puzzle.of("vanished", about=f"vanished:{gumroad_id}", subscription=gumroad_id)


def facts(gumroad_id: str) -> tuple[Any, ...] | None:
    """What we hold of the subscription, to be compared."""
    return Subscription.objects.filter(gumroad_id=gumroad_id).values_list(*FACTS).first()


def is_news(sale: Sale) -> bool:
    """Whether this sale of a list says something that we do not hold; what is not ours is looked at as well."""
    row = Subscription.objects.filter(gumroad_id=sale.subscription_id).first()
    if row is None or row.charged_at is None or sale.created_at is None:
        return True
    if sale.created_at == row.charged_at:
        return charges.returned(sale) != row.returned
    return sale.created_at > row.charged_at
