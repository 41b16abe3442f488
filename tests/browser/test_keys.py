"""Passkeys, an app and recovery codes as a person uses them, with Chromium's own authenticator in place of a key."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.accounts.conftest import work_letters
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_every_page import SHAPES, _barriers, _keep_picture, _sticks_out
from tests.keys import age, code_of, give_app
from tests.virtual_key import plug_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _at_its_address(live_server: LiveServer, settings: Any) -> None:
    """Browsers make passkeys for a name and for no IP address, so the site must know by which it is called."""
    assert live_server.url.startswith("http://localhost:")
    settings.BASE_URL = live_server.url


class Keys:
    """What is plugged into the browser."""

    def __init__(self, window: Window) -> None:
        self.cdp, self.id = plug_in(window.page)

    def refuse(self) -> None:
        """The person does not put the finger there."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})

    def kept(self) -> int:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(found["credentials"])


@pytest.fixture
def keys(window: Window) -> Keys:
    return Keys(window)


def add_passkey(window: Window, name: str) -> Page:
    page = window.open("/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    return page


def sign_out(window: Window) -> None:
    window.open("/account").get_by_role("button", name="Sign out", exact=True).click()
    window.page.wait_for_url(window.base + "/")


def test_a_passkey_is_added_and_signs_in(window: Window, keys: Keys, alice: User) -> None:
    window.sign_in(alice)
    page = add_passkey(window, "telephone")
    assert keys.kept() == 1
    assert page.locator(".recovery code").count() == 10
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_text("telephone", exact=True).wait_for()
    sign_out(window)
    page = window.open("/sign-in?next=/billing")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/billing")
    assert window.elsewhere == []
    assert window.complaints == []


def test_without_the_finger_nobody_comes_in_and_the_link_is_still_there(
    window: Window, keys: Keys, alice: User
) -> None:
    window.sign_in(alice)
    add_passkey(window, "telephone")
    sign_out(window)
    keys.refuse()
    page = window.open("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("No passkey was shown.").wait_for()
    assert page.get_by_role("button", name="Send me a link").is_enabled()
    assert page.get_by_role("button", name="Sign in with a passkey").is_enabled()


def test_one_device_makes_one_passkey_for_one_person(window: Window, keys: Keys, alice: User) -> None:
    window.sign_in(alice)
    add_passkey(window, "telephone")
    page = window.open("/account/security/passkeys/new")
    page.get_by_label("Name").fill("again")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("Your device made no passkey.").wait_for()
    assert keys.kept() == 1


def test_after_the_link_the_passkey_is_the_second_step(window: Window, keys: Keys, alice: User) -> None:
    window.sign_in(alice)
    add_passkey(window, "telephone")
    sign_out(window)
    second_step(window, alice)
    window.page.get_by_role("button", name="Use a passkey").click()
    window.page.wait_for_url("**/billing")


def second_step(window: Window, user: User) -> Page:
    page = window.open("/sign-in?next=/billing")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    window.open(mailed(r"/sign-in/link/\w+"))
    page.get_by_role("button", name=f"Sign in as {user.email}").click()
    page.get_by_role("heading", name="One more step").wait_for()
    return page


def test_an_app_is_set_up_and_then_asked_for(window: Window, alice: User) -> None:
    window.sign_in(alice)
    page = window.open("/account/security")
    page.get_by_role("link", name="Set up an app").click()
    page.wait_for_function("document.querySelector('img.qr')?.naturalWidth > 100")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    recovery = page.locator(".recovery code").first.inner_text()
    sign_out(window)
    page = second_step(window, alice)
    page.get_by_label("Code").fill("123456" if code_of(secret) != "123456" else "654321")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="That did not work yet").wait_for()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/billing")
    page = window.open("/account/security")
    page.get_by_text("9 codes of").wait_for()


def test_a_passkey_shows_who_sits_there_and_leads_back(window: Window, keys: Keys, alice: User) -> None:
    window.sign_in(alice)
    add_passkey(window, "telephone")
    grow_old(window)
    page = window.open("/account/security/app")
    page.get_by_role("heading", name="Show that it is you").wait_for()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account/security/app")
    assert window.complaints == []


def grow_old(window: Window) -> None:
    """An hour passes for the session of this window."""
    client = Client()
    client.cookies["session"] = next(
        str(one["value"]) for one in window.context.cookies() if one["name"] == "session"
    )
    age(client)


def test_a_mail_shows_who_sits_there(window: Window, alice: User) -> None:
    window.sign_in(alice)
    grow_old(window)
    page = window.open("/account/security/app")
    page.get_by_role("button", name="Send a mail to alice@example.test").click()
    page.get_by_label("Code from the mail").wait_for()
    window.open(mailed(r"/prove/link/\w+"))
    page.get_by_role("button", name="Yes, go on").click()
    page.wait_for_url("**/account/security/app")


def mailed(way: str) -> str:
    """The newest path of this kind in our letters."""
    work_letters()
    found = [path for letter in mail.outbox for path in re.findall(way, str(letter.body))]
    return str(found[-1])


def test_a_passkey_is_renamed_and_removed(window: Window, keys: Keys, alice: User) -> None:
    window.sign_in(alice)
    add_passkey(window, "old")
    page = window.open("/account/security")
    page.get_by_text("Rename or remove “old”").click()
    page.get_by_label("Name").fill("ring")
    page.get_by_role("button", name="Save the name").click()
    page.get_by_text("Rename or remove “ring”").click()
    page.get_by_role("button", name="Remove passkey “ring”").click()
    page.get_by_text("You have none yet.").wait_for()
    sign_out(window)
    page = window.open("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="That did not work yet").wait_for()


def test_staff_come_in_once_they_have_a_passkey(window: Window, keys: Keys, db: None) -> None:
    sam = User.objects.create_user("sam@example.test", is_staff=True, is_superuser=True)
    window.sign_in(sam)
    page = window.open("/admin/")
    page.wait_for_url("**/account/security")
    add_passkey(window, "key of the office")
    window.open("/admin/").wait_for_url("**/admin/")


@pytest.mark.parametrize(("theme", "shape"), SHAPES)
def test_every_page_of_keys(
    theme: str, shape: str, chromium: Browser, live_server: LiveServer, alice: User
) -> None:
    window = Window(chromium, live_server.url, theme, WIDE if shape == "wide" else NARROW)
    name = f"{theme}-{shape}"
    look(window, "/sign-in", f"sign-in-passkey-{name}")
    window.sign_in(alice)
    keys = Keys(window)
    look(window, "/account/security", f"security-empty-{name}")
    look(window, "/account/security/passkeys/new", f"passkey-new-{name}")
    look(window, "/account/security/app", f"app-new-{name}")
    grow_old(window)
    look(window, "/prove?next=/billing", f"prove-mail-{name}")
    window.page.get_by_role("button", name="Send a mail").click()
    window.page.get_by_label("Code from the mail").wait_for()
    see(window, f"prove-sent-{name}")
    window.sign_in(alice)
    add_passkey(window, "telephone in my pocket with a name that is rather long")
    see(window, f"codes-{name}")
    give_app(alice)
    look(window, "/account/security", f"security-{name}")
    grow_old(window)
    look(window, "/prove?next=/billing", f"prove-keys-{name}")
    window.context.clear_cookies()
    second_step(window, alice)
    see(window, f"second-step-{name}")
    assert keys.kept() == 1
    window.context.close()


def look(window: Window, path: str, name: str) -> None:
    window.open(path)
    see(window, name)


def see(window: Window, name: str) -> None:
    _keep_picture(window, name)
    assert _barriers(window) == [], name
    assert _sticks_out(window) == [], name
    assert window.elsewhere == [], name
    assert window.complaints == [], name
