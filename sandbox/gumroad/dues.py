"""What falls due by itself: renewals, ends, and cards that were tried for long enough."""

from __future__ import annotations

import sqlite3

from sandbox.gumroad.errors import Refusal
from sandbox.gumroad.life import Life, set_columns
from sandbox.gumroad.store import chosen, now

Db = sqlite3.Connection
Row = sqlite3.Row
PATIENCE = 5 * 86400.0  # how long a card is tried before the subscription fails
CHARGED = "select count(*) from sales where subscription = ? and trial = 0 and part != 'receiver'"
DUE = """
select * from subscriptions where deactivated_at is null and test = 0 and (
    cancelled_at <= :now - :cron or overdue_since + :patience <= :now
    or (paid_until <= :now and cancelled_at is null and overdue_since is null))
 order by paid_until limit 1"""


def is_due(db: Db) -> Row | None:
    """The first subscription for which something is to happen now."""
    asked = {"now": now(), "patience": PATIENCE, "cron": cron(db)}
    row: Row | None = db.execute(DUE, asked).fetchone()
    return row


def cron(db: Db) -> float:
    """Seconds until what is over is noticed; at the vendor a task of each minute looks."""
    return float(chosen(db, "cron") or 0)


class Dues:
    """Works within the transaction that is given."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def end_period(self, db: Db, row: Row) -> list[str]:
        """Brings the end of the paid period to this moment, with what follows from it."""
        if row["deactivated_at"] is not None:
            raise Refusal("This subscription has ended already.")
        set_columns(
            db, row, paid_until=now(), cancelled_at=now() if row["cancelled_at"] is not None else None
        )
        return self.run(db)

    def run(self, db: Db) -> list[str]:
        """What the paid periods that are over lead to, as many times as it takes."""
        happened: list[str] = []
        while due := is_due(db):
            happened += self._fall_due(db, due)
        return happened

    def _fall_due(self, db: Db, row: Row) -> list[str]:
        if row["overdue_since"] is not None and row["overdue_since"] + PATIENCE <= now():
            return self._life.fail(db, row, row["overdue_since"] + PATIENCE)
        if row["cancelled_at"] is not None:
            return self._life.end(db, row, row["cancelled_at"] + cron(db), "cancelled")
        if is_complete(db, row):
            return self._life.complete(db, row, row["paid_until"])
        if not row["has_card"]:
            return self._life.decline(db, row, row["paid_until"])
        return self._life.renew(db, row, row["paid_until"])


def is_complete(db: Db, row: Row) -> bool:
    """Whether a fixed number of charges was agreed upon and reached."""
    return row["charges"] is not None and db.execute(CHARGED, [row["id"]]).fetchone()[0] >= row["charges"]
