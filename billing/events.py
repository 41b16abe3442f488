"""How the audit log tells of subscriptions."""

from datetime import datetime

from audit.actions import record
from billing.models import Subscription


def note(what: str, row: Subscription, by: str, /, **facts: str | None) -> None:
    """An event of the subscription, in the caller's transaction."""
    record(f"subscription.{what}", by=by, account=row.account_id, subject=row.subject, **facts)


def iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
