"""What a host may remove: what a thief with its credentials must not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backups.asked import Named
from backups.rows import Row, Sum

FREE = 64 * 2**20  # bytes a day that may go whatever share they are
KEPT, TOO_MANY = "kept", "too_many"
WHAT_OPENS_IT = (
    "config",
    "keys",
)  # without them the repository is noise, and no program of ours removes them
HERE, LEAVING = ("signed", "stored"), ("trashed", "leaving")
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Balance:
    """Bytes of one repository: there, and removed within the last day; of those, what was stored before that day."""

    here: int = 0
    gone: int = 0
    old_here: int = 0
    old_gone: int = 0


def balance(sums: Iterable[Sum]) -> Balance:
    """From the rows' sums; what leaves is kept for a day, so it is what was removed within the day."""
    total = {(here, old): 0 for here in (True, False) for old in (True, False)}
    for one in sums:
        total[one.state in HERE, one.old] += one.bytes
    old_here, old_gone = total[True, True], total[False, True]
    return Balance(old_here + total[True, False], old_gone + total[False, False], old_here, old_gone)


@dataclass
class Judge:
    """Judges one object after the other. `free_since` has the snapshots whose time may be over; `allowed`: staff said so."""

    balance: Balance
    free_since: Mapping[str, datetime | None]
    now: datetime
    allowed: bool = False
    gone: int = 0
    old_gone: int = 0
    verdicts: dict[Named, str] = field(default_factory=dict)

    def look(self, rows: Iterable[Row]) -> dict[Named, str]:
        """For each object a refusal, or nothing where it may go."""
        for row in rows:
            self.verdicts[row.named] = self._verdict(row)
        return self.verdicts

    def _verdict(self, row: Row) -> str:
        if row.kind in WHAT_OPENS_IT:
            return KEPT
        if row.kind == "locks":
            return ""
        if row.kind == "snapshots":
            return "" if row.stored_at is None or self.free_since.get(row.name) else KEPT
        return self._weigh(row.bytes, self._is_old(row))

    def _is_old(self, row: Row) -> bool:
        return row.stored_at is not None and row.stored_at < self.now - A_DAY

    def _weigh(self, size: int, old: bool) -> str:
        """At most half of all bytes in a day, and at most half of the older ones: fresh junk makes room for nothing."""
        gone, old_gone = self.gone + size, self.old_gone + size * old
        is_much = too_much(self.balance.here, self.balance.gone, gone)
        is_much |= too_much(self.balance.old_here, self.balance.old_gone, old_gone)
        if is_much and not self.allowed:
            return TOO_MANY
        self.gone, self.old_gone = gone, old_gone
        return ""


def too_much(here: int, gone: int, more: int) -> bool:
    """Whether removing `more` beside what has gone already would leave less than half."""
    return gone + more > max(FREE, (here + gone) // 2)
