"""Which restore points leave: after the time that was promised and never before, and never the newest."""

from hypothesis import given
from hypothesis import strategies as st

from agent.mailat_agent.backup import points
from agent.mailat_agent.backup.points import Point


def point(number: int, at: float, lasted: float = 10.0) -> Point:
    return Point(f"{number:064x}", at, at + lasted, 0, 0, 0, "")


def series(times: list[float]) -> list[Point]:
    return [point(number, at) for number, at in enumerate(sorted(times))]


TIMES = st.lists(st.floats(0, 1e7), max_size=30)


@given(TIMES, st.floats(60, 1e7), st.floats(0, 3e7))
def test_none_leaves_before_its_time_and_the_newest_never(
    times: list[float], keep: float, now: float
) -> None:
    found = series(times)

    going = points.leaving(found, keep, now)

    assert all(now - one.end >= keep for one in going)
    assert found[-1:] == [] or found[-1] not in going


@given(TIMES, st.floats(60, 1e7), st.floats(0, 3e7))
def test_all_others_that_were_kept_for_their_time_leave(times: list[float], keep: float, now: float) -> None:
    found = series(times)

    staying = [one for one in found[:-1] if one not in points.leaving(found, keep, now)]

    assert all(now - one.end < keep + points.MARGIN + 1e-3 for one in staying)


@given(TIMES, st.floats(60, 1e6), st.floats(60, 1e6), st.floats(0, 3e7))
def test_a_longer_promise_keeps_all_that_a_shorter_one_does(
    times: list[float], one: float, other: float, now: float
) -> None:
    shorter = set(points.leaving(series(times), min(one, other), now))

    assert set(points.leaving(series(times), max(one, other), now)) <= shorter


def test_without_a_backup_for_long_what_is_over_leaves_all_the_same() -> None:
    found = series([0.0, 3600.0, 7200.0])

    assert not points.are_overdue(found, 86400, 3600, 86400 + 3600)
    assert points.are_overdue(found, 86400, 3600, 86400 + 2 * 3600)
    assert not points.are_overdue(series([0.0]), 86400, 3600, 1e9)


def test_a_snapshot_is_read_with_what_it_remembers() -> None:
    said = {
        "id": "a" * 64,
        "time": "2026-11-21T20:39:09.340427123Z",
        "tags": [*points.tags(3, 2000, "b" * 64).split(","), "from somebody else"],
        "summary": {"backup_end": "2026-11-21T20:40:09.5+00:00", "total_bytes_processed": 4030181},
    }

    (read,) = points.read([said])

    assert (read.mailboxes, read.messages, read.manifest, read.bytes) == (3, 2000, "b" * 64, 4030181)
    assert read.end - read.at > 60
    assert points.told(read.kept()).keys() == {"id", "at", "bytes", "mailboxes", "messages", "manifest"}


def test_a_snapshot_that_says_less_is_a_point_all_the_same() -> None:
    (read,) = points.read([{"id": "a" * 64, "time": "2026-11-21T20:39:09Z"}])

    assert (read.mailboxes, read.messages, read.bytes) == (0, 0, 0)
    assert read.end == read.at
