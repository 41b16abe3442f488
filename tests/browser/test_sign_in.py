"""Signing in as a person does it, because a real browser decides what it tells of itself when a button is pressed."""

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.accounts.conftest import last_mail
from tests.browser.conftest import WIDE, Window

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def ask(window: Window, email: str) -> None:
    page = window.open("/sign-in?next=/account")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()


def test_the_link_opens_in_the_browser_that_asked(window: Window, alice: User) -> None:
    ask(window, alice.email)
    page = window.open(last_mail().path)
    page.get_by_role("button", name="Sign in as alice@example.test").click()
    page.wait_for_url("**/account")
    assert window.elsewhere == []


def test_the_code_goes_from_the_other_browser_to_the_one_that_asked(
    chromium: Browser, live_server: LiveServer, window: Window, alice: User
) -> None:
    ask(window, alice.email)
    telephone = Window(chromium, live_server.url, "dark", WIDE)
    shown = telephone.open(last_mail().path).locator(".code").inner_text()
    telephone.context.close()
    window.page.get_by_label("Code from the mail").fill(shown.lower())
    window.page.get_by_role("button", name="Sign in").click()
    window.page.wait_for_url("**/account")
