"""Bounces and complaints stand beside their base, and where nobody has counted the base, that is what is known."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from domains.models import Domain, Mailbox
from sending import rates
from sending.models import Credentials, Standing, Topic
from sending.rates import Met
from servers.models import Agent, Server
from tests.domains.conftest import add
from tests.sandbox.aws.place import REGION, Place
from tests.sending.test_slowing import sent
from tests.sending.watching import Watched

NOW = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)


@pytest.fixture
def watched(amazon: Place, firm: Domain) -> Watched:
    return Watched(amazon, firm)


def test_rates_near_amazons_lines_are_told(watched: Watched) -> None:
    watched.is_now("production", sent_before=1_000)
    watched.hears("bounce", 39)
    watched.look()
    assert watched.open == []
    watched.hears("bounce", 1)
    watched.look(2)
    assert watched.open == ["rates"]
    assert watched.last.context["says"].startswith(
        "Of 1,000 recipients in a day, 40 do not exist and 0 complained."
    )

    watched.is_now("production", sent_before=1_300)
    watched.look()
    assert watched.open == ["rates"]
    watched.is_now("production", sent_before=1_400)
    watched.look()
    assert watched.letters == ["sending_trouble", "sending_well"]


@pytest.mark.parametrize(
    ("sent", "bounces", "complaints", "near"),
    [
        (1_000, 39, 0, False),
        (1_000, 40, 0, True),
        (50, 4, 0, False),
        (2_600, 0, 2, False),
        (2_500, 0, 2, True),
        (10, 0, 1, False),
        (None, 400, 40, False),
        (0, 0, 0, False),
    ],
)
def test_near_is_below_amazons_lines_and_never_a_few_of_a_few(
    sent: int | None, bounces: int, complaints: int, near: bool
) -> None:
    assert Met(sent, bounces, complaints).near is near


def test_what_begins_near_the_line_ends_well_below_it() -> None:
    assert [Met(1_000, bounces, 0).calm for bounces in (40, 31, 30, 29)] == [False, False, False, True]


def test_only_what_will_never_arrive_counts_and_only_for_its_time(watched: Watched) -> None:
    now = timezone.now()
    watched.is_now("production", sent_before=812)
    watched.look()
    watched.hears("bounce", 3)
    watched.hears("bounce", 50, permanent=False)
    watched.hears("bounce", 4, at=now - timedelta(days=2))
    watched.hears("complaint", 1, at=now - timedelta(days=6))
    watched.hears("complaint", 9, at=now - timedelta(days=8))

    found = rates.rates_of(watched.firm.home)
    assert found.day == Met(812, 3, 0)
    assert found.week == Met(None, 7, 1)


def test_a_day_that_amazon_has_not_told_of_has_no_base(watched: Watched) -> None:
    Standing.objects.update(read_at=timezone.now() - timedelta(hours=25))
    assert rates.rates_of(watched.firm.home).day.sent is None


def test_no_share_is_of_fewer_than_came_back(watched: Watched) -> None:
    watched.hears("bounce", 7)
    assert rates.rates_of(watched.firm.home).day == Met(7, 7, 0)


def test_a_week_is_seven_of_amazons_days_and_no_less(watched: Watched) -> None:
    standing = Standing.objects.get(home=watched.firm.home)
    now = timezone.now()
    for days in range(6, -1, -1):
        standing.hours = rates.with_hour(standing.hours, "1", 100 + days, now - timedelta(days=days))
    standing.save()
    assert rates.week_of(watched.firm.home, standing).sent == 721
    standing.hours["sent"].pop((now - timedelta(days=3)).strftime(rates.HOUR))
    assert rates.week_of(watched.firm.home, standing).sent is None


def test_counts_older_than_a_week_and_those_of_another_account_are_forgotten() -> None:
    hours = rates.with_hour({}, "1/eu", 5, NOW - timedelta(days=8))
    hours = rates.with_hour(hours, "1/eu", 6, NOW - timedelta(minutes=15))
    hours = rates.with_hour(hours, "1/eu", 7, NOW)
    assert hours == {"of": "1/eu", "sent": {"2026-11-20T10": 7}}
    assert rates.with_hour(hours, "2/eu", 8, NOW) == {"of": "2/eu", "sent": {"2026-11-20T10": 8}}


def test_each_look_keeps_what_amazon_counted(watched: Watched) -> None:
    watched.is_now("production", sent_before=77)
    watched.look()
    kept = Standing.objects.get(home=watched.firm.home).hours
    assert kept["of"] == f"{watched.key['account']}/{REGION}"
    assert list(kept["sent"].values())[-1] == 77


def test_who_caused_most_is_named_with_what_they_sent(watched: Watched, firm: Domain) -> None:
    anna: Mailbox = add(firm, "anna")
    sent(anna, 812)
    watched.hears("bounce", 3)
    watched.hears("complaint", 1, "bert@firm.test", at=timezone.now() - timedelta(days=2))
    watched.hears("bounce", 9, "carl@firm.test", permanent=False)

    bert, first = rates.rates_of(firm.home).senders
    assert (bert.address, bert.day, bert.week) == ("bert@firm.test", Met(None, 0, 0), Met(None, 0, 1))
    assert (first.address, first.day, first.week) == ("anna@firm.test", Met(812, 3, 0), Met(None, 3, 0))


def test_the_servers_of_one_account_at_amazon_are_judged_as_one(watched: Watched, firm: Domain) -> None:
    other = Server.objects.create(account=firm.account, name="two", plan="basic", place="fsn1")
    before = Credentials.objects.get(home=firm.home)
    watched.hears("bounce", 2, "x@two.test", home=other.pk)
    assert rates.rates_of(firm.home).day.bounces == 0

    Credentials.objects.create(
        account=firm.account, home=other.pk, region=before.region, access_key="AKIA" + "B" * 16, state="in_use",
        secret=_secret(other), by="user:1", aws_account=before.aws_account,
    )  # fmt: skip
    found = rates.rates_of(firm.home)
    assert (found.day.bounces, found.senders) == (2, [])


def _secret(server: Server) -> object:
    from vault import actions as vault

    return vault.keep(
        account=server.account_id,
        purpose="aws",
        subject=f"credentials:{server.pk}",
        secret="s" * 40,
        by="user:1",
    )


def test_whether_amazon_tells_us_is_known(watched: Watched) -> None:
    assert not rates.rates_of(watched.firm.home).heard
    Topic.objects.update(confirmed_at=timezone.now())
    assert rates.rates_of(watched.firm.home).heard


def test_a_report_of_another_kind_gives_no_figures(watched: Watched, firm: Domain) -> None:
    watched.hears("bounce", 1)
    for mail in ({"mailboxes": {"anna@firm.test": "x"}}, {"mailboxes": {"anna@firm.test": [1]}}, {}):
        Agent.objects.filter(server=firm.home).update(report={"mail": mail})
        assert rates.rates_of(firm.home).senders[0].day.sent is None
