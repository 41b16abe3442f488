"""What the seller sells: one membership with tiers."""

from __future__ import annotations

import base64
import calendar
import dataclasses
import datetime
import hashlib

# The vendor's five, in app/modules/base_price/recurrence.rb; "biannually" is every six months.
MONTHS = {"monthly": 1, "quarterly": 3, "biannually": 6, "yearly": 12, "every_two_years": 24}
TIMES_THE_MONTH = {"monthly": 1, "quarterly": 3, "biannually": 6, "yearly": 10, "every_two_years": 20}
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
    offer_codes: dict[str, int] = dataclasses.field(default_factory=lambda: {"half": 50, "free": 100})
    seller_email: str = SELLER_EMAIL  # whoever buys with this address makes a test purchase

    @property
    def url(self) -> str:
        return f"https://{self.permalink}.gumroad.com/l/{self.permalink}"

    def price(self, tier: str, recurrence: str, quantity: int = 1, offer_code: str = "") -> int:
        """Cents for one period; an offer code takes its per cent off."""
        full = self.tiers[tier] * TIMES_THE_MONTH[recurrence] * quantity
        return full * (100 - self.offer_codes.get(offer_code, 0)) // 100

    def rename(self, tier: str, name: str) -> None:
        """The seller types another name; what was sold before bears it from now on, too."""
        prices = {name if key == tier else key: cents for key, cents in self.tiers.items()}
        self.tiers.clear()
        self.tiers.update(prices)

    def tier_id(self, tier: str) -> str:
        """It stays when the name changes."""
        return opaque(
            hashlib.sha256(f"{self.product_id} {list(self.tiers).index(tier)}".encode()).digest()[:16]
        )


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
