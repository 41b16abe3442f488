"""People in real browsers: signed out elsewhere, another address, an invitation; with and without scripts."""

import pytest
from django.core import mail
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from tests.accounts.conftest import work_letters
from tests.accounts.passing import way_in, work
from tests.browser.conftest import NARROW, WIDE, Window

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(window: Window, email: str, path: str = "/account") -> None:
    """As a person does it, by the link in the mail."""
    page = window.open(f"/sign-in?next={path}")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    page = window.open(way_in("sign_in", email))
    page.get_by_role("button", name=f"Sign in as {email}").click()
    page.wait_for_url(f"**{path}")


@pytest.fixture
def telephone(chromium: Browser, live_server: LiveServer) -> Window:
    return Window(chromium, live_server.url, "dark", NARROW, scripts=False)


def test_a_person_signs_their_telephone_out_from_here(window: Window, telephone: Window, alice: User) -> None:
    sign_in(window, alice.email)
    sign_in(telephone, alice.email)
    work_letters()
    assert [one.subject for one in mail.outbox].count("A new sign-in to Mailat") == 1
    page = window.open("/account/sessions")
    assert page.get_by_text("this one").count() == 1
    page.get_by_role("button", name="Sign out there").click()
    page.get_by_text("was signed out").wait_for()
    assert "/sign-in" in telephone.open("/account").url
    assert page.get_by_text("You are signed in nowhere else").is_visible()
    telephone.context.close()


def test_an_address_is_changed_from_one_window_and_confirmed_in_another(
    window: Window, telephone: Window, alice: User
) -> None:
    sign_in(window, alice.email, "/account/address")
    window.page.get_by_label("New address").fill("alice@new.test")
    window.page.get_by_role("button", name="Send the letters").click()
    window.page.get_by_role("heading", name="It is to become alice@new.test").wait_for()
    for end, word in (("alice@new.test", "new"), (alice.email, "old")):
        page = telephone.open(way_in("address_confirm", end))
        page.get_by_role("button", name=f"Yes, this is the {word} address").click()
        page.get_by_role("heading", name="This address has said yes").wait_for()
    work()
    page = window.open("/account")
    assert page.get_by_text("alice@new.test").first.is_visible()
    assert "/sign-in" in telephone.open("/account").url
    telephone.context.close()


def test_somebody_is_invited_and_comes_in_with_a_browser_that_runs_no_scripts(
    window: Window, telephone: Window, alice: User, account: Account
) -> None:
    sign_in(window, alice.email, "/account/people")
    window.page.get_by_label("E-mail address").fill("dora@example.test")
    window.page.get_by_role("button", name="Send an invitation").click()
    window.page.get_by_text("The invitation goes to dora@example.test").wait_for()
    page = telephone.open(way_in("person_invited", "dora@example.test"))
    assert page.get_by_label("E-mail address").input_value() == "dora@example.test"
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    page = telephone.open(way_in("sign_in", "dora@example.test"))
    page.get_by_role("button", name="Sign in as dora@example.test").click()
    page.get_by_role("button", name="Take part in").click()
    page.wait_for_url("**/overview")
    assert account.people.filter(email="dora@example.test").exists()
    assert Account.objects.count() == 1
    telephone.context.close()


def test_errors_are_told_beside_what_was_typed(
    chromium: Browser, live_server: LiveServer, alice: User
) -> None:
    for size in (WIDE, NARROW):
        window = Window(chromium, live_server.url, "light", size)
        window.sign_in(alice)
        page = window.open("/account/people")
        page.get_by_label("E-mail address").fill(alice.email)
        page.get_by_role("button", name="Send an invitation").click()
        page.get_by_role("link", name="They belong to this account already").click()
        assert page.get_by_label("E-mail address").input_value() == alice.email
        window.context.close()
