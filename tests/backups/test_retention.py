"""Never shorter and never longer than promised: over plans and their changes, absences, and hosts that lie."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from backups.retention import (
    GRACE,
    OURS_BEFORE,
    SEEN_WITHIN,
    TRASH,
    Term,
    is_overdue,
    longest,
    may_go_since,
    must_go_by,
    released_since,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLANS = (DAY, 7 * DAY, 30 * DAY)
LOOKS = timedelta(minutes=5)  # of the clock
MINUTES = some.integers(0, 40 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def terms(*changes: tuple[timedelta, timedelta]) -> list[Term]:
    return [Term(NOON + since, keep) for since, keep in changes]


def test_a_point_is_released_when_the_plans_time_is_over():
    plan = terms((timedelta(), DAY))
    assert released_since(NOON, plan, NOON + DAY - timedelta(seconds=1)) is None
    assert released_since(NOON, plan, NOON + DAY) == NOON + DAY
    assert released_since(NOON, plan, NOON + 9 * DAY) == NOON + DAY


def test_a_shorter_plan_releases_older_points_when_it_takes_effect_and_not_before():
    plan = terms((timedelta(), 30 * DAY), (10 * DAY, DAY))
    assert released_since(NOON, plan, NOON + 10 * DAY - timedelta(seconds=1)) is None
    assert released_since(NOON, plan, NOON + 10 * DAY) == NOON + 10 * DAY
    young = NOON + 10 * DAY - HOUR
    assert released_since(young, plan, NOON + 10 * DAY) is None
    assert released_since(young, plan, NOON + 11 * DAY) == young + DAY


def test_a_longer_plan_asks_for_what_is_still_there():
    plan = terms((timedelta(), DAY), (10 * DAY, 30 * DAY))
    assert released_since(NOON + 5 * DAY, plan, NOON + 10 * DAY - timedelta(seconds=1)) == NOON + 6 * DAY
    assert released_since(NOON + 5 * DAY, plan, NOON + 10 * DAY) is None
    assert released_since(NOON + 5 * DAY, plan, NOON + 40 * DAY) == NOON + 35 * DAY


def test_one_plan_after_the_other_that_release_a_point_count_as_one_time():
    plan = terms((timedelta(), DAY), (10 * DAY, 2 * DAY), (11 * DAY, DAY))
    assert released_since(NOON, plan, NOON + 20 * DAY) == NOON + DAY


def test_the_newest_point_stays_and_the_next_one_frees_it():
    plan = terms((timedelta(), DAY))
    assert may_go_since(NOON, None, plan, NOON + 99 * DAY) is None
    assert may_go_since(NOON, NOON + 50 * DAY, plan, NOON + 99 * DAY) == NOON + 50 * DAY
    assert may_go_since(NOON, NOON + HOUR, plan, NOON + 99 * DAY) == NOON + DAY


def asks(made: datetime, plan: list[Term], at: datetime) -> bool:
    """The definition: the plan that is in force at this moment asks for the point."""
    begun = [one for one in sorted(plan, key=lambda one: one.since) if one.since <= at]
    keep = (begun[-1] if begun else min(plan, key=lambda one: one.since)).keep
    return made + keep > at


CHANGES = some.lists(
    some.tuples(MINUTES, some.sampled_from(PLANS)), min_size=1, max_size=6, unique_by=lambda one: one[0]
)


@how(max_examples=400)
@given(made=MINUTES, changes=CHANGES, age=MINUTES, before=MINUTES)
def test_since_when_is_exactly_since_when_no_plan_has_asked(
    made: timedelta, changes: list[tuple[timedelta, timedelta]], age: timedelta, before: timedelta
):
    plan, point = terms(*changes), NOON + made
    now = point + age
    since = released_since(point, plan, now)
    assert (since is None) == asks(point, plan, now)
    if since is None:
        return
    moments = {
        since,
        now,
        max(since, now - before),
        *(one.since for one in plan if since <= one.since <= now),
    }
    assert not any(asks(point, plan, at) for at in moments)
    assert asks(point, plan, since - timedelta(microseconds=1))


class Keeping(RuleBasedStateMachine):
    """A bucket, a host that may be away or hostile, and a control plane that looks every five minutes.

    `points`: when each was written (the host's deed) and when we saw it. What the customer was promised is counted apart,
    minute by minute, from the plan in force.
    """

    @initialize(
        keep=some.sampled_from(PLANS), every=some.sampled_from([HOUR, 6 * HOUR]), hostile=some.booleans()
    )
    def begin(self, keep: timedelta, every: timedelta, hostile: bool) -> None:
        self.now, self.every, self.hostile = NOON, every, hostile
        self.plan = [Term(NOON, keep)]
        self.points: dict[int, tuple[datetime, datetime]] = {}
        self.trashed: dict[int, datetime] = {}
        self.made = 0
        self.free: dict[int, datetime] = {}  # by our own count: since when nobody asks for it
        self.too_early: list[int] = []
        self.too_late: list[int] = []

    def newer(self, point: int) -> datetime | None:
        after = [seen for _, seen in self.points.values() if seen > self.points[point][1]]
        return min(after) if after else None

    def may_go(self, point: int) -> datetime | None:
        return may_go_since(self.points[point][1], self.newer(point), self.plan, self.now)

    @rule(told_after=some.integers(0, 29))
    def back_up(self, told_after: int) -> None:
        """A hostile host does not tell; we find its points by ourselves."""
        late = timedelta(minutes=told_after if self.hostile else 0)
        self._pass(late)
        self.points[self.made] = (self.now - late, self.now)
        self.made += 1
        self._pass(timedelta(seconds=1))

    @rule(passes=some.sampled_from([timedelta(minutes=7), HOUR, 5 * HOUR, DAY, 9 * DAY]))
    def time_passes(self, passes: timedelta) -> None:
        """The host is away; the control plane is not."""
        self._pass(passes)

    @rule(keep=some.sampled_from(PLANS))
    def plan_changes(self, keep: timedelta) -> None:
        self._pass(timedelta(seconds=1))
        self.plan.append(Term(self.now, keep))
        self._count()

    @rule()
    def host_forgets(self) -> None:
        """As restic does: everything that is older than the plan, but the newest."""
        for point in [one for one in self.points if self.may_go(one)]:
            self._remove(point)

    @precondition(lambda self: self.hostile)
    @rule(data=some.data())
    def thief_removes(self, data: some.DataObject) -> None:
        """It asks for everything; what the gate lets go is gone."""
        for point in list(self.points):
            if self.may_go(point):
                self._remove(point)
            else:
                assert asks(self.points[point][1], self.plan, self.now) or self.newer(point) is None

    def _remove(self, point: int) -> None:
        if asks(self.points[point][0], self.plan, self.now) or len(self.points) == 1:
            self.too_early.append(point)
        self.trashed[point] = self.now
        del self.points[point]
        self.free.pop(point, None)

    def _pass(self, span: timedelta) -> None:
        until = self.now + span
        while self.now < until:
            self.now = min(self.now + LOOKS, until)
            self._count()
            for point in [one for one in self.points if is_overdue(self.may_go(one), self.every, self.now)]:
                self._remove(point)
            last = self.now - SEEN_WITHIN - self.every - GRACE
            self.too_late += [one for one, since in self.free.items() if since < last]
            self.trashed = {one: at for one, at in self.trashed.items() if self.now < at + TRASH}

    def _count(self) -> None:
        for point, (written, _) in self.points.items():
            if asks(written, self.plan, self.now) or self.newer(point) is None:
                self.free.pop(point, None)
            else:
                self.free.setdefault(point, self.now)

    @invariant()
    def nothing_was_removed_too_early(self) -> None:
        assert not getattr(self, "too_early", [])

    @invariant()
    def the_newest_is_there(self) -> None:
        assert self.points or not self.made if hasattr(self, "points") else True

    @invariant()
    def nothing_stays_longer_than_promised(self) -> None:
        assert not getattr(self, "too_late", [])


Keeping.TestCase.settings = how(max_examples=120, stateful_step_count=25)
test_keeping = Keeping.TestCase


@pytest.mark.parametrize("keep", PLANS)
def test_the_longest_time_that_is_stated_is_the_sum_of_its_parts(keep: timedelta):
    late = NOON + SEEN_WITHIN
    free = may_go_since(late, late + HOUR, [Term(NOON, keep)], NOON + 99 * DAY)
    assert free
    assert must_go_by(free, HOUR) + TRASH - NOON == longest(keep, HOUR)
    assert is_overdue(free, HOUR, must_go_by(free, HOUR) - OURS_BEFORE)
    assert not is_overdue(free, HOUR, must_go_by(free, HOUR) - OURS_BEFORE - timedelta(seconds=1))
