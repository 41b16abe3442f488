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
        raise Puzzle(
            f"Something was sold that Mailat does not know: the product {product_id[:80]}.",
            advice="If it should be Mailat, set GUMROAD_PRODUCT_ID and read the ping again. "
            "If it is something else, send its pings elsewhere.",
            about=f"product:{product_id}",
        )


def check_sale(sale: Sale) -> None:
    """Raises Puzzle unless it is a charge for a subscription to our product by ourselves."""
    check_product(sale.product_id)
    if sale.seller_id and sale.seller_id != settings.GUMROAD_SELLER_ID:
        raise Puzzle(
            f"The sale {sale.id} is of another seller, {sale.seller_id[:80]}.",
            advice="GUMROAD_TOKEN and GUMROAD_SELLER_ID belong to different people: set both anew.",
            about=f"seller:{sale.seller_id}",
        )
    if not sale.subscription_id:
        raise Puzzle(
            f"The sale {sale.id} is not part of a subscription.",
            advice="The product at Gumroad must be a membership. Give the money back or make a subscription of it.",
            about=f"sale:{sale.id}",
        )


def plan_bought(sale: Sale) -> Plan:
    """The plan whose name is the tier that was bought. Raises Puzzle if there is none; a plan is never guessed."""
    tiers = [option for title, option in sale.variants.items() if title.strip().casefold() == TIER]
    for plan in PLANS.values():
        if len(tiers) == 1 and is_plan(tiers[0], plan.key):
            return plan
    raise Puzzle(
        f"The sale {sale.id} is of a tier that is no plan of ours: {', '.join(tiers)[:80] or 'none'}.",
        advice=f"Name the tiers at Gumroad {', '.join(plan.name for plan in PLANS.values())}, then read the ping again.",
        about=f"sale:{sale.id}",
    )


def is_plan(tier: str, plan: str) -> bool:
    """Whether Gumroad's name of the tier is our name of the plan, in whatever case."""
    return tier.strip().casefold() == PLANS[plan].name.casefold()


def check_email(sale: Sale) -> str:
    """The buyer's address. Raises Puzzle if no letter can be sent to it."""
    try:
        validate_email(sale.email)
    except ValidationError:
        raise Puzzle(
            f"The buyer's address of the sale {sale.id} is none.",
            advice="Ask the buyer through Gumroad, have the address corrected there, and read the ping again.",
            about=f"sale:{sale.id}",
        ) from None
    return sale.email
