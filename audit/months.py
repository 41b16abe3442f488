"""Months of events come and go; see migrations/sql/0001_months.sql for what Postgres does and refuses."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from audit.actions import record


@dataclass(frozen=True)
class Turned:
    """`did` is made or dropped; `month` is such as 2026-11; `events` how many went with it."""

    did: str
    month: str
    events: int


@transaction.atomic
def turn(kept: timedelta) -> list[Turned]:
    """Makes this month and the next two, and drops those that ended more than `kept` ago (365 days at least)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT did, month, events FROM audit_turn_months(%s * interval '1 second')",
            [kept.total_seconds()],
        )
        turned = [Turned(*row) for row in cursor.fetchall()]
    for one in turned:
        record(f"audit.month_{one.did}", by="clock", month=one.month, events=one.events)
    return turned
