"""The mail is read on another device: that one shows a code, and the window that asked takes it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import actions, tokens
from accounts import browser as cookie
from accounts.models import SignInLink, User
from tests.accounts.conftest import Browser

pytestmark = pytest.mark.django_db
WRONG = "BBBB-BBBB"


def test_another_browser_is_shown_the_code_that_the_mail_has_too(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email)
    page = other_browser.get(letter.path).content.decode()
    assert letter.code in page
    assert "alice@example.test" in page
    assert letter.code not in browser.get(letter.path).content.decode()


def test_typing_the_code_signs_in_the_window_that_asked(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email, "/servers/new")
    other_browser.get(letter.path)
    answer = browser.type(letter.code)
    assert (answer.status_code, answer.url) == (302, "/servers/new")
    assert browser.signed_in_as == alice.pk
    assert other_browser.signed_in_as is None


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2}"])
def test_the_code_may_be_typed_without_care(browser: Browser, alice: User, typed: str) -> None:
    code = browser.ask_and_read(alice.email).code
    browser.type(typed.format(code, code.lower(), code.replace("-", " ")))
    assert browser.signed_in_as == alice.pk


def test_the_code_is_worth_nothing_in_another_browser(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email)
    other_browser.type(letter.code)
    assert other_browser.signed_in_as is None
    other_browser.ask("charlie@example.test")
    other_browser.type(letter.code)
    assert other_browser.signed_in_as is None


def test_a_wrong_code_is_said_to_be_wrong_and_may_be_mended(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    answer = browser.type(WRONG)
    assert answer.status_code == 422
    assert "not the code" in answer.content.decode()
    assert browser.type(letter.code).status_code == 302


def test_five_wrong_codes_kill_the_link(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email, "/billing")
    for _ in range(4):
        assert browser.type(WRONG).status_code == 422
    dead = browser.type(WRONG)
    assert dead.status_code == 410
    assert 'name="next" value="/billing"' in dead.content.decode()
    assert browser.type(letter.code).status_code == 410
    assert browser.post(letter.path).status_code == 410
    assert browser.signed_in_as is None


def test_the_fifth_try_may_still_be_right(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    for _ in range(4):
        browser.type(WRONG)
    assert browser.type(letter.code).status_code == 302


def test_what_cannot_be_a_code_costs_no_try(browser: Browser, alice: User) -> None:
    browser.ask(alice.email)
    for typed in ("", "BCDF", "12345678", "BCDF-GHJK-L", "\0" * 8, "B" * 41):
        assert browser.type(typed).status_code == 422
    assert SignInLink.objects.get().tries == 0


def test_an_expired_code_leads_to_the_form_for_a_new_link(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email, "/billing")
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser.type(letter.code).status_code == 410
    assert browser.get("/sign-in/code").status_code == 410


def test_a_code_is_used_once_as_well(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    nonce = browser.cookies[cookie.NAME].value
    use = {"nonce": nonce, "code": letter.code, "address": "127.0.0.1"}
    assert actions.use_code(**use)
    assert actions.use_code(**use) is None
    assert browser.post(letter.path).status_code == 410


def test_two_tabs_with_two_people_take_either_code(browser: Browser, alice: User, charlie: User) -> None:
    for_alice = browser.ask_and_read(alice.email)
    browser.ask_and_read(charlie.email)
    browser.type(for_alice.code)
    assert browser.signed_in_as == alice.pk


def test_whoever_has_not_asked_is_led_to_ask(browser: Browser, other_browser: Browser, alice: User) -> None:
    browser.ask(alice.email)
    assert other_browser.get("/sign-in/code").url == "/sign-in"
    assert other_browser.type(WRONG).url == "/sign-in"


def test_once_signed_in_the_window_that_asked_leads_on(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    assert browser.get("/sign-in/code").url == "/overview"


def test_codes_and_tokens_of_two_links_have_nothing_in_common(browser: Browser, alice: User) -> None:
    first, second = browser.ask_and_read(alice.email), browser.ask_and_read(alice.email)
    assert first.code != second.code
    assert first.token != second.token
    assert len(first.token) == 64


def test_what_the_mail_says_depends_on_the_secret_key(settings: Any) -> None:
    link = SignInLink()
    before = tokens.token_of(link.pk), tokens.code_of(link.pk)
    settings.SECRET_KEY = "another key, another token"
    assert tokens.token_of(link.pk) != before[0]
    assert tokens.code_of(link.pk) != before[1]


def test_the_cookie_is_read_by_no_script_and_comes_along_from_webmail(browser: Browser) -> None:
    given = browser.ask("alice@example.test").cookies[cookie.NAME]
    assert given["httponly"]
    assert given["samesite"] == "Lax"
    assert given["path"] == "/"
    assert not given["domain"]
