"""Amazon's suppression list of an account, fetched for an owner who asked to see it.

Amazon tells it in parts and in no order that is promised, so the newest are known only when all of it was told:
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_ListSuppressedDestinations.html.
"""

import heapq
from collections.abc import Iterable
from datetime import UTC
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.actions import plain, record
from clients.aws import Aws
from clients.aws_errors import Throttled
from clients.aws_records import Suppressed
from clients.errors import Refused, TryLater
from engine.program import Next, Program, done, nap
from sending.amazon import account_of
from sending.keys import living_key
from sending.models import Suppression
from sending.refusals import Obstacle, obstacle

BY = "program:ReadSuppressed"
MOST = 1000  # entries that are kept, the newest
MOST_PARTS, AT_ONCE = 1000, 10  # parts of the list in all, and while the key is open
PAUSE = 1.0  # seconds between; the vendor takes about one call a second
PASSING = ("throttled", "away")  # what is over by itself


def is_being_read(row: Suppression) -> bool:
    """Whether it goes on by itself."""
    return row.read_at is None and (row.trouble is None or row.trouble.get("code") in PASSING)


class ReadSuppressed(Program):
    """One server's list; what is kept of it is in the row, and the run holds no address."""

    first = "read"

    def prepare(self) -> None:
        self.home = UUID(self.run.subject.removeprefix("suppression:"))
        self.row = Suppression.objects.select_for_update().filter(home=self.home).first()
        self.key = living_key(self.home)

    def read(self) -> Next:
        """Some parts of the list; called anew until the last."""
        if self.row is None or self.row.read_at:
            return self._end("forgotten" if self.row is None else "read before")
        if self.key is None:
            return self._refused(self.row, Obstacle("no_key"))
        amazon = account_of(self.key, by=BY, why="an owner asks for the suppression list")
        try:
            return self._parts(self.row, amazon)
        except Refused as error:
            return self._refused(self.row, obstacle(error))
        except TryLater as error:
            return self._later(self.row, error)

    def _parts(self, row: Suppression, amazon: Aws) -> Next:
        for _ in range(AT_ONCE):
            before = str(self.args.get("token", ""))
            found, token = amazon.ses.suppressed_page(before)
            parts = int(self.args.get("parts", 0)) + 1
            self.args.update(token=token, parts=parts, seen=int(self.args.get("seen", 0)) + len(found))
            row.entries = newest([*row.entries, *map(_entry, found)])
            if not token or token == before or parts >= MOST_PARTS:
                return self._read(row, more=bool(token))
        return self._pause(row, PAUSE, None)

    def _read(self, row: Suppression, *, more: bool) -> Next:
        row.more = more or int(self.args["seen"]) > len(row.entries)
        row.read_at, row.trouble = timezone.now(), None
        row.save()
        self._record("suppression.read", row, n=len(row.entries), more=row.more)
        return self._end("read")

    def _refused(self, row: Suppression, found: Obstacle) -> Next:
        row.trouble, row.entries = found.plain(), []
        row.save(update_fields=["trouble", "entries"])
        self._record("suppression.refused", row, code=found.code)
        return self._end(f"refused: {found.code}")

    def _later(self, row: Suppression, error: TryLater) -> Next:
        """Nothing is lost: the parts that were told are kept, and the next is asked for when Amazon can."""
        code = "throttled" if isinstance(error, Throttled) else "away"
        return self._pause(row, error.retry_after, Obstacle(code).plain())

    def _pause(self, row: Suppression, seconds: float, trouble: dict[str, Any] | None) -> Next:
        row.trouble = trouble
        row.save(update_fields=["entries", "trouble"])
        return nap(seconds)

    def _end(self, outcome: str) -> Next:
        self.args.pop("token", None)
        return done(outcome)

    def _record(self, action: str, row: Suppression, **facts: object) -> None:
        record(action, by=BY, account=row.account_id, subject=f"server:{row.home}", **facts)


def _entry(one: Suppressed) -> dict[str, Any]:
    told = {
        "address": one.address[:320],
        "reason": one.reason,
        "since": one.since.astimezone(UTC).isoformat(),
    }
    return dict(plain(told))


def newest(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each address once, those that came onto the list last first."""
    once = {one["address"]: one for one in entries}
    return heapq.nlargest(MOST, once.values(), key=lambda one: (one["since"], one["address"]))
