"""A customer's whole story: everything of theirs, nothing of anybody else's, in time order, every row once."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Account, Letter
from audit.actions import record
from billing.models import Ping, Subscription
from engine.models import Alarm
from mailat import staff_timeline as timeline
from tests.admin.conftest import SECRET, World
from tests.examples import ONE_WORLD

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.get_fixed_timezone(0))


def address(account: Account, after: str = "") -> str:
    return f"/admin/accounts/account/{account.pk}/story/" + (f"?after={after}" if after else "")


def read(site: Client, account: Account) -> str:
    connection.check_constraints()  # events get their numbers when a transaction ends
    return site.get(address(account)).content.decode()


PARTS = (
    "accounts/user", "billing/subscription", "billing/ping", "servers/server", "servers/destruction", "engine/run",
    "engine/alarm", "domains/domain", "accounts/letter", "backups/repository",
)  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_the_story_leads_to_each_part(staff_site: Client, world: World, name: str) -> None:
    assert f'href="/admin/{name}/{world[name].pk}/change/"' in read(staff_site, world["accounts/account"])


def test_it_tells_what_happened_and_why_staff_did_what_they_did(staff_site: Client, world: World) -> None:
    account = world["accounts/account"]
    record("run.woken", by="staff:1", account=account.pk, reason="asked by telephone")
    record("server.late", by="clock", subject=world["servers/server"].subject)
    html = read(staff_site, account)
    for said in (
        "server.wanted",
        "run.woken",
        "asked by telephone",
        "server.late",
        "needs a person",
        "welcome",
    ):
        assert said in html


def test_it_shows_nothing_secret(staff_site: Client, world: World) -> None:
    assert SECRET not in read(staff_site, world["accounts/account"])


def test_nobody_elses_rows_are_in_it(staff_site: Client, make_world: Callable[[], World]) -> None:
    mine, other = make_world(), make_world()
    html = read(staff_site, mine["accounts/account"])
    for name in PARTS:
        assert f'"/admin/{name}/{other[name].pk}/change/"' not in html
    assert str(other["servers/server"].name) not in html


def test_an_account_that_has_nothing_has_a_story(staff_site: Client) -> None:
    html = read(staff_site, Account.objects.create(name="Empty"))
    assert "Nothing has happened yet." in html


def test_an_account_that_is_none_is_not_found(staff_site: Client) -> None:
    assert staff_site.get(f"/admin/accounts/account/{uuid4()}/story/").status_code == 404


def test_more_of_everything_takes_no_more_queries(staff_site: Client, world: World) -> None:
    account = world["accounts/account"]
    staff_site.get(address(account))
    few = queries(staff_site, account)
    for number in range(5):
        more_of(account, world["billing/subscription"], number)
    assert queries(staff_site, account) == few


def queries(site: Client, account: Account) -> int:
    connection.check_constraints()
    with CaptureQueriesContext(connection) as seen:
        assert site.get(address(account)).status_code == 200
    assert not any(
        "OFFSET" in one["sql"] or "COUNT(" in one["sql"] for one in seen if "alarm" not in one["sql"]
    )
    return len(seen)


def more_of(account: Account, subscription: Subscription, number: int) -> None:
    server = account.servers.create(name=f"more{number}", plan="basic", place="fsn1")
    Subscription.objects.create(
        gumroad_id=f"more{number}", account=account, server=server, email="a@b.test", plan="basic"
    )
    Ping.objects.create(subscription=subscription, body=b"x")
    Letter.objects.create(key=f"more{number}", kind="welcome", to="a@b.test", account_id=account.pk)
    Alarm.objects.create(key=f"more{number}", subject=server.subject, says="something")
    record("server.wanted", by="user:1", account=account.pk, subject=server.subject, name="x")


@pytest.mark.parametrize(
    "place", ["x", "~", "~~", "2026-01-01~0~1", "2026-01-01T00:00:00Z~9~1", "2026-01-01T00:00:00Z~0~x",
              "2026-01-01T00:00:00Z~3~1", "2026-01-01T00:00:00Z~-1~1", "2026-01-01T00:00:00Z~0~" + "9" * 30, "9999-99-99~0~1"],
)  # fmt: skip
def test_a_place_that_is_none_leads_to_the_beginning(staff_site: Client, world: World, place: str) -> None:
    answer = staff_site.get(address(world["accounts/account"]), {"after": place})
    assert (answer.status_code, answer["Location"]) == (302, address(world["accounts/account"]))


def test_the_pages_lead_on_by_links_and_show_each_row_once(staff_site: Client, world: World) -> None:
    account = world["accounts/account"]
    for number in range(130):
        letter(account, NOON - timedelta(minutes=number % 7), f"n{number}")
    seen, where = [], address(account)
    while where:
        html = staff_site.get(where).content.decode()
        seen += re.findall(r"/admin/accounts/letter/([0-9a-f-]{36})/", html)
        older = re.search(r'href="(\?after=[^"]+)"', html)
        where = address(account) + older[1].replace("&amp;", "&") if older else ""
    assert sorted(seen) == sorted(str(one.pk) for one in Letter.objects.filter(account_id=account.pk))


def letter(account: Account, at: datetime, key: str) -> Letter:
    return Letter.objects.create(key=key, kind="welcome", to="a@b.test", account_id=account.pk, written_at=at)


def alarm(account: Account, at: datetime, key: str) -> Alarm:
    return Alarm.objects.create(key=key, subject=f"account:{account.pk}", says=key, opened_at=at)


def ping(account: Account, at: datetime, key: str) -> Ping:
    return Ping.objects.create(subscription=account.subscriptions.get(), body=b"", note=key, received_at=at)


KINDS: dict[str, Callable[[Account, datetime, str], Any]] = {"letter": letter, "alarm": alarm, "ping": ping}


@settings(max_examples=40, deadline=None, suppress_health_check=ONE_WORLD)
@given(
    rows=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), max_size=14),
    size=st.integers(1, 4),
)
def test_any_rows_of_any_tables_are_walked_whole_and_in_order(
    db: None, rows: list[tuple[str, int]], size: int
) -> None:
    account = Account.objects.create(name="Bakery")
    Subscription.objects.create(gumroad_id=uuid4().hex, account=account, email="a@b.test", plan="basic")
    made = [KINDS[kind](account, NOON + timedelta(seconds=at), uuid4().hex) for kind, at in rows]
    seen: list[timeline.Line] = []
    after = ""
    while True:
        page = timeline.page(account, [], after=after, size=size)
        assert len(page.lines) == size or not page.older
        seen, after = [*seen, *page.lines], page.older
        if not after:
            break
    assert [one.at for one in seen] == sorted((one.at for one in seen), reverse=True)
    assert len({str(one.says) for one in seen}) == len(seen) == len(made)


@pytest.mark.django_db(transaction=True)
def test_events_stand_among_the_rest_where_they_happened(staff_site: Client) -> None:
    """Each in a transaction of its own, for an event's time is its transaction's."""
    account = Account.objects.create(name="Bakery")
    for number in range(7):
        record("some.event", by="clock", account=account.pk, n=number)
        letter(account, timezone.now(), f"n{number}")
    whole = timeline.page(account, []).lines
    assert [one.what for one in whole] == ["letter", "event"] * 7
    seen, after = [], ""
    for _ in range(5):
        page = timeline.page(account, [], after=after, size=3)
        seen, after = [*seen, *page.lines], page.older
    assert [str(one.says) for one in seen] == [str(one.says) for one in whole]


def test_what_comes_meanwhile_shifts_nothing(db: None) -> None:
    account = Account.objects.create(name="Bakery")
    made = {str(letter(account, NOON - timedelta(seconds=n), f"n{n}").pk) for n in range(9)}
    seen: list[str] = []
    after = ""
    for number in range(3):
        page = timeline.page(account, [], after=after, size=3)
        seen += [
            str(UUID(found)) for one in page.lines for found in re.findall(r"[0-9a-f-]{36}", str(one.says))
        ]
        after = page.older
        letter(account, NOON + timedelta(seconds=number), f"later{number}")
    assert set(seen) == made
    assert len(seen) == 9
