"""Nobody floods a mailbox, guesses codes or tries links for long, and whoever is stopped is told until when."""

from typing import Any

import pytest

from accounts import limits
from accounts.models import Letter, User
from tests.accounts.conftest import Browser

pytestmark = pytest.mark.django_db


def test_an_address_gets_three_mails_a_minute_whoever_asks(alice: User) -> None:
    places = [f"203.0.113.{n}" for n in range(4)]
    answers = [Browser(REMOTE_ADDR=place).ask(alice.email) for place in places]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert Letter.objects.count() == 3


def test_case_does_not_get_around_it(alice: User) -> None:
    for email in ("alice@example.test", "ALICE@example.test", "Alice@Example.Test"):
        Browser().ask(email)
    assert Browser().ask("aLICE@example.test").status_code == 429


def test_whoever_is_stopped_is_told_when_to_come_back(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Browser().ask(alice.email)
    limited = Browser().ask(alice.email)
    assert 1 <= int(limited["Retry-After"]) <= 60
    assert "Try again in a minute" in limited.content.decode()
    assert limited["Cache-Control"] == "no-store"


def test_the_hours_limit_is_told_in_minutes(alice: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"sign_in_link": "9/m/key,1/h/key"}
    Browser().ask(alice.email)
    limited = Browser().ask(alice.email)
    assert "Try again in 60 minutes" in limited.content.decode()


def test_a_network_may_ask_for_only_so_many_addresses() -> None:
    statuses = [Browser(REMOTE_ADDR="203.0.113.5").ask(f"p{n}@example.test").status_code for n in range(21)]
    assert statuses == [302] * 20 + [429]
    assert Browser(REMOTE_ADDR="203.0.113.6").ask("q@example.test").status_code == 302


def test_a_network_of_the_new_protocol_is_a_64() -> None:
    for n in range(20):
        Browser(REMOTE_ADDR=f"2001:db8:1:1::{n:x}").ask(f"p{n}@example.test")
    assert Browser(REMOTE_ADDR="2001:db8:1:1:ffff::1").ask("q@example.test").status_code == 429
    assert Browser(REMOTE_ADDR="2001:db8:1:2::1").ask("q@example.test").status_code == 302


def test_codes_are_limited_by_network(browser: Browser, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"sign_in_code": "2/m/ip"}
    statuses = [browser.type("BCDF-GHJK").status_code for _ in range(3)]
    assert statuses == [302, 302, 429]


def test_links_are_limited_by_network(browser: Browser, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"sign_in_use": "2/m/ip"}
    statuses = [browser.post("/sign-in/link/x").status_code for _ in range(3)]
    assert statuses == [410, 410, 429]


def test_looking_is_never_limited(browser: Browser, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"sign_in_use": "1/m/ip", "sign_in_link": "1/m/ip"}
    assert {browser.get("/sign-in").status_code for _ in range(5)} == {200}
    assert limits.LEAST_WAIT > 0
