"""What we sell at Gumroad, held against what was bought there."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from billing.puzzle import Puzzle
from clients.gumroad import Sale
from servers.plans import PLANS, Plan

TIER = "tier"  # Gumroad's title of the choice that a membership offers


def check_product(product_id: str) -> None:
    """Raises Puzzle for anything but our own product."""
    if product_id != settings.GUMROAD_PRODUCT_ID:
        raise Puzzle.of("product", about=f"product:{product_id}", product=product_id)


def is_something_else(product_id: str) -> bool:
    """Whether the settings say that the seller sells this beside Mailat."""
    return product_id in settings.GUMROAD_OTHER_PRODUCTS and product_id != settings.GUMROAD_PRODUCT_ID


def check_sale(sale: Sale) -> None:
    """Raises Puzzle unless it is a charge for a subscription to our product by ourselves."""
    check_product(sale.product_id)
    if sale.seller_id and sale.seller_id != settings.GUMROAD_SELLER_ID:
        raise Puzzle.of("seller", about=f"seller:{sale.seller_id}", sale=sale.id, seller=sale.seller_id)
    if not sale.subscription_id:
        raise Puzzle.of("once", about=f"sale:{sale.id}", sale=sale.id)


def plan_bought(sale: Sale) -> Plan:
    """The plan whose name is the tier that was bought, once. Raises Puzzle if there is none; a plan is never guessed."""
    if sale.quantity != 1:
        raise Puzzle.of("quantity", about=f"sale:{sale.id}", sale=sale.id, quantity=sale.quantity)
    tiers = [option for title, option in sale.variants.items() if title.strip().casefold() == TIER]
    plan = plan_named(tiers[0]) if len(tiers) == 1 else None
    if plan is None:
        told = ", ".join(tiers) or "none"
        raise Puzzle.of("tier", about=f"sale:{sale.id}", sale=sale.id, tiers=told, plans=names())
    return plan


def plan_named(tier: str) -> Plan | None:
    """The plan that Gumroad's name of a tier means, in whatever case."""
    name = tier.strip().casefold()
    return next((plan for plan in PLANS.values() if plan.name.casefold() == name), None)


def names() -> str:
    """What the tiers at Gumroad must be called."""
    return ", ".join(plan.name for plan in PLANS.values())


def check_email(sale: Sale) -> str:
    """The buyer's address. Raises Puzzle if no letter can be sent to it."""
    try:
        validate_email(sale.email)
    except ValidationError:
        raise Puzzle.of("email", about=f"sale:{sale.id}", sale=sale.id) from None
    return sale.email
