"""Who is silent, and whether that says anything of them or only of us."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, Letter
from engine.models import Alarm
from servers import health
from servers.models import Agent, Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(account: Account) -> list[Agent]:
    """Four servers that have just reported."""
    made = [
        Server.objects.create(account=account, name=f"post{n}", plan="basic", place="fsn1") for n in range(4)
    ]
    return [
        Agent.objects.create(server=one, key_hash="x", seal_key="x", reported_at=timezone.now())
        for one in made
    ]


def silence(agents: list[Agent], length: timedelta) -> list[str]:
    """They have been silent for so long; how the whole fleet is then."""
    ids = [one.pk for one in agents]
    Agent.objects.filter(pk__in=ids).update(reported_at=timezone.now() - length)
    health.look()
    return sorted(Agent.objects.values_list("health", flat=True))


def alarms() -> set[str]:
    return {one.key for one in Alarm.objects.filter(closed_at=None)}


def test_when_most_of_the_fleet_falls_silent_it_was_us_and_no_customer_is_told(fleet: list[Agent]) -> None:
    assert silence(fleet[:3], timedelta(minutes=20)) == ["healthy", "late", "late", "late"]
    assert alarms() == {health.US}
    assert not Letter.objects.exists()

    Agent.objects.update(reported_at=timezone.now())
    health.look()
    assert alarms() == set()


def test_whose_silence_goes_on_is_told_whoever_is_at_fault(fleet: list[Agent]) -> None:
    assert silence(fleet, timedelta(minutes=41)) == ["lost"] * 4
    assert Letter.objects.filter(kind="server_trouble").count() == 4
    health.look()
    assert alarms() == {f"{one.server.subject}:lost" for one in fleet}


def test_one_that_is_silent_among_others_is_lost_after_ten_minutes(fleet: list[Agent]) -> None:
    assert silence(fleet[:1], timedelta(minutes=11)) == ["healthy", "healthy", "healthy", "lost"]
    assert Letter.objects.get().kind == "server_trouble"
