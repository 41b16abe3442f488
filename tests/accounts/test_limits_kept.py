"""Where production keeps what limits counted: nobody washes a count away, every process sees it, and it leaves when it is over."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from accounts import limits, tasks
from accounts.models import User
from mailat import settings as production
from tests.accounts.conftest import Browser
from tests.accounts.test_races import MANY, all_at_once
from tests.keys import code_of, give_app

FILL = """INSERT INTO django_cache (cache_key, value, expires)
SELECT ':1:allauth:rl:allauth.account:sign_in_link:10/3600/key:' || n, 'gASIlC4=', now() + interval '1 hour'
  FROM generate_series(1, %s) AS n"""
MANY_OTHERS = 3000


@pytest.fixture
def kept(db: None) -> Iterator[None]:
    """The cache that stands in the settings; the migration that makes its table saw that of the tests."""
    with override_settings(CACHES=production.CACHES):
        call_command("createcachetable", verbosity=0)
        cache.clear()
        yield
        cache.clear()


def ask_for_others() -> None:
    """As if links had been asked for at so many addresses."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, [MANY_OTHERS])


def rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_cache")
        return int(cursor.fetchone()[0])


def wrong_code() -> str:
    right = {code_of(periods=n) for n in range(-2, 4)}
    return next(code for code in ("000000", "111111", "222222") if code not in right)


@pytest.mark.django_db
def test_a_flood_of_other_counts_does_not_wash_away_that_of_wrong_codes(
    kept: None, browser: Browser, alice: User
) -> None:
    give_app(alice)
    browser.post(browser.ask_and_read(alice.email).path)
    wrong = {"do": "code", "code": wrong_code()}
    assert [browser.post("/sign-in/second", wrong).status_code for _ in range(6)] == [422] * 5 + [429]
    ask_for_others()
    Browser(REMOTE_ADDR="198.51.100.7").ask("other@example.test")
    assert browser.post("/sign-in/second", wrong).status_code == 429
    assert rows() > MANY_OTHERS


@pytest.mark.django_db(transaction=True)
def test_a_limit_is_one_for_all_connections(kept: None) -> None:
    asked = all_at_once(lambda n: Browser(REMOTE_ADDR=f"203.0.113.{n}").ask("alice@example.test").status_code)
    assert sorted(asked) == [302] * 3 + [429] * (MANY - 3)
    assert Browser(REMOTE_ADDR="203.0.113.99").ask("alice@example.test").status_code == 429


@pytest.mark.django_db
def test_counts_that_are_over_leave_and_others_stay(kept: None, browser: Browser) -> None:
    ask_for_others()
    browser.ask("alice@example.test")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_cache SET expires = now() - interval '1 second' WHERE cache_key ~ ':3/60/key'"
        )
        over = cursor.rowcount
    before = rows()
    tasks.forget_counts()
    assert over == 1
    assert rows() == before - over


@pytest.mark.django_db
def test_where_a_cache_forgets_by_itself_the_clock_has_nothing_to_do() -> None:
    assert limits.forget() == 0
