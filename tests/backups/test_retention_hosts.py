"""The promise over both sides at once: a host that forgets by its own clock as agents do, and our look at what it leaves.

Days pass by events: a backup, a plan, a clock that jumps, a host or our workers away. Between two of them nothing changes but the
time, so when a point goes is found without looking every five minutes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as some

from agent.mailat_agent.backup import points
from agent.mailat_agent.backup.points import Point
from backups.retention import GRACE, SEEN_WITHIN, Term, is_overdue, may_go_since
from servers.plans import PLANS

BEGIN = datetime(2026, 2, 20, tzinfo=UTC)
EVERY, LOOKS = timedelta(hours=6), timedelta(minutes=5)
KEPT = [plan.backups_kept for plan in PLANS.values()]


@dataclass
class Bucket:
    """`there`: by name, when each point was written and when we saw it; `skew` is how far the host's clock is ahead."""

    keep: timedelta
    now: datetime = BEGIN
    skew: timedelta = timedelta()
    host_away: bool = False
    workers_away: bool = False
    terms: list[Term] = field(default_factory=list)
    there: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    of_host: dict[str, Point] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.terms.append(Term(self.now, self.keep))

    def free(self, name: str) -> datetime | None:
        seen = self.there[name][1]
        newer = min((at for _, at in self.there.values() if at > seen), default=None)
        return may_go_since(seen, newer, self.terms, self.now)

    def remove(self, name: str) -> None:
        """By whomever: the gate and our look both ask whether its time is over."""
        written, _ = self.there[name]
        if self.now < written + self.keep or len(self.there) == 1:
            self.broken.append(f"{name} too early")
        del self.there[name]
        self.of_host.pop(name, None)

    def back_up(self) -> None:
        """As an agent does it: a point, then what its own clock says is over; the gate lets go what may."""
        if self.host_away:
            return
        name, at = self.now.isoformat(), (self.now + self.skew).timestamp()
        self.there[name] = (self.now, self.now + timedelta(minutes=2))
        self.of_host[name] = Point(name, at, at, 1, 1, 1, "")
        self.now += timedelta(minutes=3)
        known = sorted(self.of_host.values(), key=lambda one: (one.at, one.id))
        clock = (self.now + self.skew).timestamp()
        for point in points.leaving(known, self.keep.total_seconds(), clock):
            if self.free(point.id):
                self.remove(point.id)

    def passes(self, span: timedelta) -> None:
        """Our look at every five minutes; then whatever still is there has to be within its time."""
        until = self.now + span
        while not self.workers_away and (first := self.first_overdue(until)):
            self.now, name = first
            self.remove(name)
        self.now = until
        for name in self.there:
            since = self.free(name)
            last = EVERY + GRACE + SEEN_WITHIN
            if since and self.now - since > last and not self.workers_away:
                self.broken.append(f"{name} too long")

    def first_overdue(self, until: datetime) -> tuple[datetime, str] | None:
        """The first look at which a point is to go."""
        begun, steps = self.now, (until - self.now) // LOOKS
        found = [(at, name) for name in self.there if (at := self._look_at(name, begun, steps))]
        self.now = begun
        return min(found, default=None)

    def _look_at(self, name: str, begun: datetime, steps: int) -> datetime | None:
        low, high = 0, steps
        if steps < 0 or not self._is_overdue(name, begun + high * LOOKS):
            return None
        while low < high:
            half = (low + high) // 2
            low, high = (low, half) if self._is_overdue(name, begun + half * LOOKS) else (half + 1, high)
        return begun + low * LOOKS

    def _is_overdue(self, name: str, at: datetime) -> bool:
        self.now = at
        return is_overdue(self.free(name), EVERY, at)

    def buys(self, keep: timedelta) -> None:
        self.now += timedelta(seconds=1)
        self.keep = keep
        self.terms.append(Term(self.now, keep))


HAPPENS = some.one_of(
    some.tuples(some.just("plan"), some.sampled_from(KEPT)),
    some.tuples(some.just("clock"), some.integers(-72, 72).map(lambda hours: timedelta(hours=hours))),
    some.tuples(some.just("host away"), some.booleans()),
    some.tuples(some.just("days"), some.integers(1, 35)),
)


def live(keep: timedelta, happens: list[tuple[str, object]], bucket: Bucket | None = None) -> Bucket:
    bucket = bucket or Bucket(keep)
    for what, value in [*happens, ("days", 1)]:
        match what, value:
            case "plan", timedelta():
                bucket.buys(value)
            case "clock", timedelta():
                bucket.skew = value
            case "host away", bool():
                bucket.host_away = value
            case "days", int():
                for _ in range(value * 4):
                    bucket.back_up()
                    bucket.passes(EVERY - timedelta(minutes=3))
    return bucket


@how(max_examples=40)
@given(keep=some.sampled_from(KEPT), happens=some.lists(HAPPENS, max_size=7))
def test_never_shorter_and_never_longer_over_plans_clocks_and_absences(
    keep: timedelta, happens: list[tuple[str, object]]
) -> None:
    bucket = live(keep, happens)
    assert bucket.broken == []
    assert bucket.there or not bucket.of_host


@how(max_examples=25)
@given(keep=some.sampled_from(KEPT), days=some.integers(1, 40), plan=some.sampled_from(KEPT))
def test_a_host_in_good_order_keeps_the_promise_while_our_workers_are_away(
    keep: timedelta, days: int, plan: timedelta
) -> None:
    bucket = live(keep, [("days", days), ("plan", plan), ("days", 2)], Bucket(keep, workers_away=True))
    late = [
        name for name in bucket.there if (since := bucket.free(name)) and bucket.now - since > EVERY + GRACE
    ]
    assert (late, bucket.broken) == ([], [])


def test_a_clock_that_is_wrong_or_a_host_that_is_away_leaves_the_work_to_us() -> None:
    for happens in ([("clock", timedelta(hours=-72))], [("host away", True)]):
        bucket = live(KEPT[0], [("days", 3), *happens, ("days", 4)])
        assert bucket.broken == []
        assert len(bucket.there) <= 6
