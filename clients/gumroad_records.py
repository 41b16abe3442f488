"""What Gumroad's API tells about a sale and a subscription, as far as we use it.

Source: `as_json` of Purchase and Subscription in https://github.com/antiwork/gumroad. A missing key and null mean the same.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any


class Strange(ValueError):
    """The object lacks what every such object has, or has it in another shape."""


@dataclass(frozen=True)
class Sale:
    """One charge; `subscription_id` is empty for what is sold once, and by what was `received` as a gift nothing is paid."""

    id: str
    product_id: str
    email: str
    seller_id: str = ""
    name: str = ""
    created_at: datetime | None = None
    subscription_id: str = ""
    variants: dict[str, str] = field(default_factory=dict)
    recurring: bool = False
    received: bool = False
    refunded: bool = False
    partly_refunded: bool = False
    disputed: bool = False
    dispute_won: bool = False
    quantity: int = 1

    @classmethod
    def read(cls, row: object) -> "Sale":
        """Raises Strange."""
        told = _Told(row)
        return cls(
            id=told.needed("id"),
            product_id=told.needed("product_id"),
            email=_buyer(told),
            seller_id=told.text("seller_id"),
            name=_name(told),
            created_at=told.time("created_at"),
            subscription_id=told.text("subscription_id"),
            variants=told.names("variants"),
            recurring=told.flag("recurring_charge"),
            received=told.flag("is_gift_receiver_purchase"),
            refunded=told.flag("refunded"),
            partly_refunded=told.flag("partially_refunded"),
            disputed=told.flag("disputed"),
            dispute_won=told.flag("dispute_won"),
            quantity=told.number("quantity", 1),
        )


@dataclass(frozen=True)
class StrangeSale:
    """One that cannot be read, and why; its day if at least that can be."""

    why: str
    day: date | None

    @classmethod
    def of(cls, row: object, error: Strange) -> "StrangeSale":
        its_id = row.get("id") if isinstance(row, dict) else None
        return cls(f"{str(its_id or 'no id')[:60]}: {error}", _day(row))


def _day(row: object) -> date | None:
    try:
        at = _Told(row).time("created_at")
    except Strange:
        return None
    return at.date() if at else None


@dataclass(frozen=True)
class Subscriber:
    """A subscription. `cancelled_at` is when access ends, and often in the future; `status` is Gumroad's word."""

    id: str
    product_id: str
    status: str
    email: str = ""
    recurrence: str = ""
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None
    failed_at: datetime | None = None
    purchase_ids: tuple[str, ...] = ()

    @classmethod
    def read(cls, row: object) -> "Subscriber":
        """Raises Strange."""
        told = _Told(row)
        return cls(
            id=told.needed("id"),
            product_id=told.needed("product_id"),
            status=told.text("status"),
            email=told.text("user_email") or told.text("email"),
            recurrence=told.text("recurrence"),
            created_at=told.time("created_at"),
            cancelled_at=told.time("cancelled_at"),
            ended_at=told.time("ended_at"),
            failed_at=told.time("failed_at"),
            purchase_ids=told.ids("purchase_ids"),
        )


@dataclass(frozen=True)
class Listener:
    """An address that is told of one kind of event. It bears a secret, so it stands in no repr."""

    id: str
    url: str = field(repr=False)

    @classmethod
    def read(cls, row: object) -> "Listener":
        """Raises Strange."""
        told = _Told(row)
        return cls(id=told.needed("id"), url=told.needed("post_url"))


def _buyer(told: "_Told") -> str:
    """Who is to have it: of a gift the receiver, else the address typed at the checkout."""
    gift = told.text("giftee_email") if told.flag("is_gift_sender_purchase") else ""
    return gift or told.text("purchase_email") or told.text("email")


def _name(told: "_Told") -> str:
    """Of whoever is to have it; who gives a gift typed their own."""
    return "" if told.flag("is_gift_sender_purchase") else told.text("full_name")


class _Told:
    """One object of the API, read key by key."""

    def __init__(self, row: object) -> None:
        if not isinstance(row, dict):
            raise Strange("there is no object")
        self._row: dict[str, Any] = row

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise Strange(f"“{key}” is missing")
        return value

    def text(self, key: str) -> str:
        value = self._row.get(key)
        if value is not None and not isinstance(value, str):
            raise Strange(f"“{key}” is not text")
        return _storable(value or "")

    def time(self, key: str) -> datetime | None:
        value = self.text(key)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Strange(f"“{key}” is not a time") from None

    def flag(self, key: str) -> bool:
        return self._row.get(key) is True

    def number(self, key: str, otherwise: int) -> int:
        value = self._row.get(key, otherwise)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise Strange(f"“{key}” is not a number")
        return otherwise if value is None else value

    def names(self, key: str) -> dict[str, str]:
        value = self._row.get(key) or {}
        if not isinstance(value, dict):
            raise Strange(f"“{key}” is not an object")
        return {
            _storable(name): _storable(option) for name, option in value.items() if isinstance(option, str)
        }

    def ids(self, key: str) -> tuple[str, ...]:
        value = self._row.get(key) or []
        if not isinstance(value, list):
            raise Strange(f"“{key}” is not a list")
        return tuple(item for item in value if isinstance(item, str))


def _storable(text: str) -> str:
    """Postgres takes neither NUL nor half a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
