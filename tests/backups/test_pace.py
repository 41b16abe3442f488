"""One host cannot take the gate's time from the others."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backups import pace
from backups.pace import Pace
from tests.backups.conftest import Host

ONE, OTHER = uuid4(), uuid4()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(some.lists(some.tuples(some.floats(0, 30), some.integers(0, 60)), max_size=60))
def test_in_no_time_a_host_gets_more_than_the_bucket_and_what_flows_in(
    asked: list[tuple[float, int]],
) -> None:
    clock, granted = Clock(), 0
    host = Pace(a_second=10, at_once=50, clock=clock)
    begun = clock.now
    for pause, cost in asked:
        clock.now += pause
        wait = host.wait(ONE, cost)
        granted += 0 if wait else cost
        assert granted <= 50 + 10 * (clock.now - begun) + 1e-6


@given(some.integers(1, 50), some.integers(1, 50))
def test_who_waits_as_long_as_it_is_told_is_served(first: int, second: int) -> None:
    clock = Clock()
    host = Pace(a_second=10, at_once=50, clock=clock)
    assert host.wait(ONE, first) == 0
    if wait := host.wait(ONE, second):
        clock.now += wait + 1e-6
        assert host.wait(ONE, second) == 0


def test_hosts_do_not_wait_for_each_other_and_few_are_remembered(monkeypatch: Any) -> None:
    clock = Clock()
    hosts = Pace(a_second=10, at_once=50, clock=clock)
    assert hosts.wait(ONE, 50) == 0
    assert hosts.wait(ONE, 1) == pytest.approx(0.1)
    assert hosts.wait(OTHER, 50) == 0
    monkeypatch.setattr(pace, "MOST_KNOWN", 5)
    for n in range(20):
        hosts.wait(UUID(int=n), 1)
    assert len(hosts._left) == 5


@pytest.mark.django_db
def test_a_host_that_asks_too_fast_is_told_when_to_come_back(
    host: Host, other: Host, monkeypatch: Any
) -> None:
    clock = Clock()
    monkeypatch.setattr(pace, "GATE", Pace(clock=clock))
    many = [{"kind": "data", "name": f"{n:064x}"} for n in range(500)]
    answers = [host.ask("read", objects=many) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 11 + [429]
    assert answers[-1].json() == {"error": "too fast"}
    assert 1 <= int(answers[-1]["Retry-After"]) <= 2
    assert other.ask("list", kind="data").status_code == 200
    clock.now += int(answers[-1]["Retry-After"])
    assert host.ask("read", objects=many).status_code == 200


@pytest.mark.django_db
def test_nonsense_counts_too_and_a_stranger_uses_up_nobodys_time(host: Host, monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "GATE", Pace(a_second=1, at_once=20, clock=Clock()))
    stranger = Host(host.client, host.server, "a guess")
    assert {stranger.ask("list", kind="data").status_code for _ in range(9)} == {401}
    assert [host.post("{").status_code for _ in range(5)] == [400] * 4 + [429]
