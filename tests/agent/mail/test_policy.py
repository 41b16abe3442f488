"""How much a mailbox may send, as Postfix is told: at its limit it is put off, and stopped where it does not obey."""

import json
from pathlib import Path

import pytest

from agent.mailat_agent.mail.policy import FINE, Ledger

EVE, NOW = "eve@firm.test", 1_000_000.0


class Limits:
    """A ledger whose limits an order may change."""

    def __init__(self, place: Path) -> None:
        self.path = place / "limits.json"
        self.ledger = Ledger(place, self.path)
        self.are(per_hour=100)

    def are(self, *, per_hour: int, releases: int = 0) -> None:
        self.path.write_text(json.dumps({EVE: {"per_hour": per_hour, "per_day": 500, "releases": releases}}))

    def asks(self, recipients: int = 1, after: float = 0.0) -> str:
        """The reply to a mail of hers, as far as its code."""
        said = self.ledger.decide(EVE, recipients, NOW + after)
        return said if said == FINE else said[:3]


@pytest.fixture
def limits(tmp_path: Path) -> Limits:
    return Limits(tmp_path)


def test_the_eleventh_recipient_of_an_hour_is_put_off(limits: Limits) -> None:
    limits.are(per_hour=10)

    assert [limits.asks() for _ in range(11)] == [FINE] * 10 + ["450"]
    assert limits.asks(after=3601) == FINE


@pytest.mark.parametrize("before", [11, 40, 99])
def test_who_sent_much_before_the_limit_was_lowered_is_put_off_and_not_stopped(
    limits: Limits, before: int
) -> None:
    assert limits.asks(before) == FINE
    limits.are(per_hour=10)

    assert limits.asks() == "450"
    assert [limits.asks(after=3601) for _ in range(11)] == [FINE] * 10 + ["450"]


def test_who_keeps_on_beyond_three_times_the_limit_is_stopped(limits: Limits) -> None:
    limits.asks(99)
    limits.are(per_hour=10)
    answers = [limits.asks() for _ in range(22)]

    assert answers == ["450"] * 20 + ["550"] * 2
    limits.are(per_hour=10, releases=1)
    assert limits.asks() == FINE
