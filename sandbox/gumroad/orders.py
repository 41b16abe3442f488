"""What the checkout asks for, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from sandbox.gumroad.changes import seats
from sandbox.gumroad.errors import Refusal, Wrong
from sandbox.gumroad.product import MONTHS, Product

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MOST_TRIAL_DAYS = 365.0


@dataclasses.dataclass(frozen=True)
class Order:
    """`account_email` is of a buyer who is signed in; a trial and a number of charges are the product's settings there."""

    email: str
    tier: str
    recurrence: str = "monthly"
    full_name: str = ""
    url_params: dict[str, str] = dataclasses.field(default_factory=dict)
    custom_fields: dict[str, str] = dataclasses.field(default_factory=dict)
    quantity: int = 1
    offer_code: str = ""
    giftee_email: str = ""
    account_email: str = ""
    force_new: bool = False
    free_trial_days: float = 0.0
    charges: int | None = None
    affiliate: str = ""
    product_id: str = ""

    @property
    def is_gift(self) -> bool:
        return bool(self.giftee_email)

    @property
    def receiver(self) -> str:
        """Whose subscription it becomes."""
        return self.giftee_email or self.email

    def columns(self) -> dict[str, Any]:
        """Of the subscription that comes of it."""
        return {
            "email": self.receiver, "full_name": self.full_name, "tier": self.tier, "recurrence": self.recurrence,
            "custom_fields": json.dumps(self.custom_fields), "quantity": self.quantity, "offer_code": self.offer_code,
            "account_email": None if self.is_gift else self.account_email or None, "charges": self.charges,
            "gifter_email": self.email if self.is_gift else "", "affiliate": self.affiliate,
            "product_id": self.product_id,
        }  # fmt: skip


def checked(order: Order, product: Product) -> Order:
    """The order in the form in which it is kept. Raises Wrong or Refusal."""
    if order.tier not in product.tiers:
        raise Wrong(f"The tier must be one of {', '.join(product.tiers)}.")
    if order.recurrence not in MONTHS:
        raise Wrong(f"The recurrence must be one of {', '.join(MONTHS)}.")
    if order.offer_code and order.offer_code not in product.offer_codes:
        raise Wrong("Sorry, the discount code you wish to use is invalid.")
    if not 0 <= order.free_trial_days <= MOST_TRIAL_DAYS or (order.charges is not None and order.charges < 1):
        raise Wrong("A trial lasts 0 to 365 days, and a fixed length has at least one charge.")
    email, giftee = address(order.email), order.giftee_email.strip() and address(order.giftee_email)
    _check_gift(email, giftee, product)
    account = order.account_email.strip() and address(order.account_email)
    return dataclasses.replace(
        order, email=email, giftee_email=giftee, account_email=account, quantity=seats(order.quantity),
        full_name=order.full_name.strip()[:100],
    )  # fmt: skip


def _check_gift(email: str, giftee: str, product: Product) -> None:
    if giftee and giftee == email:
        raise Refusal("You cannot gift a product to yourself. Please try gifting to another email.")
    if giftee and email == product.seller_email:
        raise Refusal("Test gift purchases have not been enabled yet.")


def address(text: str) -> str:
    """Raises Wrong."""
    email = text.strip().lower()
    if len(email) > 254 or not EMAIL.fullmatch(email):
        raise Wrong("An e-mail address is needed, such as anna@example.org.")
    return email
