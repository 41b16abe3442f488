"""What the seller sells: one membership with tiers."""

from __future__ import annotations

import base64
import calendar
import dataclasses
import datetime
import hashlib

MONTHS = {"monthly": 1, "yearly": 12}
TIMES_THE_MONTH = {"monthly": 1, "yearly": 10}
SELLER_EMAIL = "seller@example.com"


@dataclasses.dataclass(frozen=True)
class Product:
    """Prices are US cents a month; the names of the tiers are what the seller typed."""

    seller_id: str
    product_id: str
    permalink: str = "mailat"
    name: str = "Mailat"
    tiers: dict[str, int] = dataclasses.field(
        default_factory=lambda: {"Basic": 1900, "Plus": 3900, "Pro": 7900}
    )
    seller_email: str = SELLER_EMAIL  # whoever buys with this address makes a test purchase

    @property
    def url(self) -> str:
        return f"https://{self.permalink}.gumroad.com/l/{self.permalink}"

    def price(self, tier: str, recurrence: str) -> int:
        """Cents for one period."""
        return self.tiers[tier] * TIMES_THE_MONTH[recurrence]

    def tier_id(self, tier: str) -> str:
        return opaque(hashlib.sha256(f"{self.product_id} {tier}".encode()).digest()[:16])


def opaque(sixteen: bytes) -> str:
    """An id as the vendor's look: it ends in `==` and must be encoded in addresses."""
    return base64.urlsafe_b64encode(sixteen).decode()


def after(at: float, recurrence: str) -> float:
    """The same day and time one period later, or the month's last day."""
    day = datetime.datetime.fromtimestamp(at, datetime.UTC)
    month = day.month - 1 + MONTHS[recurrence]
    year, month = day.year + month // 12, month % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return day.replace(year=year, month=month, day=min(day.day, last)).timestamp()
