"""Making a mailbox in a browser: with the keyboard alone, without scripts, and while the server applies it."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from domains.models import Mailbox
from servers.models import Server
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.mail_site import link_for
from tests.dashboard import mail_world

pytestmark = pytest.mark.browser


@pytest.fixture
def alices(window: Window, alice: User) -> Window:
    return window.sign_in(alice)


def test_a_mailbox_is_made_with_the_keyboard_alone(alices: Window, account: Account) -> None:
    firm = mail_world.firm(account)
    page = alices.open(f"/mail/mailboxes/new?domain={firm.pk}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for label, typed in (
        ("Address", "dora"),
        ("Domain", ""),
        ("Name", "Dora"),
        ("Size in GB", "2"),
        ("Invite its owner", ""),
    ):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label, exact=True)).to_be_focused()
        page.keyboard.type(typed)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Make this mailbox")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("dora@firm.example")
    assert Mailbox.objects.get(local="dora").name == "Dora"
    assert alices.complaints == []


def test_applying_becomes_applied_while_the_page_is_looked_at(alices: Window, account: Account) -> None:
    firm = mail_world.firm(account)
    page = alices.open(f"/mail/domains/{firm.pk}")
    expect(page.locator(".applied")).to_contain_text("Applied: the server does all")
    page.get_by_text("Add an alias").click()
    page.get_by_label("Address", exact=True).fill("press")
    page.get_by_label("Its mail goes to").fill("bo@firm.example")
    page.get_by_role("button", name="Add this alias").click()
    expect(page.get_by_text("The alias press@firm.example was made.")).to_be_visible()
    expect(page.locator(".applied")).to_contain_text("Applying since today at")
    mail_world.in_force(Server.objects.get(pk=firm.home))
    expect(page.locator(".applied")).to_contain_text("Applied: the server does all")
    expect(page.locator("#spoken")).to_contain_text("Applied")


def test_what_is_being_typed_stays_while_the_page_keeps_up(alices: Window, account: Account) -> None:
    anna = Mailbox.objects.get(domain=mail_world.firm(account), local="anna")
    mail_world.alias(anna.domain, "later")
    page = alices.open(f"/mail/mailboxes/{anna.pk}")
    expect(page.locator(".applied")).to_contain_text("Applying since today at")
    page.get_by_label("Answer while away").fill("Back on Monday.")
    mail_world.in_force(Server.objects.get(pk=anna.domain.home))
    expect(page.locator(".applied")).to_contain_text("Applied: the server does all")
    expect(page.get_by_label("Answer while away")).to_have_value("Back on Monday.")
    expect(page.get_by_label("Answer while away")).to_be_focused()


def test_a_record_is_copied(alices: Window, account: Account) -> None:
    alices.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = alices.open(f"/mail/domains/{mail_world.firm(account).pk}")
    page.get_by_role("button", name="Copy the value of MX firm.example").click()
    expect(page.locator(".copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == "10 post.mailat.test."


def test_an_app_password_is_made_and_copied(alices: Window, account: Account) -> None:
    alices.context.grant_permissions(["clipboard-read", "clipboard-write"])
    anna = Mailbox.objects.get(domain=mail_world.firm(account), local="anna")
    page = alices.open(f"/mail/mailboxes/{anna.pk}")
    page.get_by_label("For which device or program?").fill("Telephone")
    page.get_by_role("button", name="Make an app password").click()
    secret = page.locator("#secret").inner_text().strip()
    page.get_by_role("button", name="Copy the password").click()
    expect(page.locator(".copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="I have it: back to the mailbox").click()
    expect(page.get_by_role("button", name="Revoke “Telephone”")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)


def test_the_owner_of_a_mailbox_chooses_a_password_and_may_look_at_it(
    window: Window, account: Account
) -> None:
    page = window.open(link_for(mail_world.firm(account)))
    field = page.get_by_label("New password")
    field.fill("correct horse battery staple")
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Use this password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your mailbox is ready")
    assert window.elsewhere == []
    assert window.complaints == []


def test_without_scripts_a_domain_and_a_mailbox_are_made(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    mail_world.serving(account)
    window = Window(chromium, live_server.url, "light", NARROW, scripts=False).sign_in(alice)
    page = window.open("/mail")
    page.get_by_role("link", name="Add a domain").click()
    page.get_by_label("Domain").fill("firm.example")
    page.get_by_role("button", name="Add this domain").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("firm.example")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="All domains").click()
    page.get_by_role("link", name="Make a mailbox").first.click()
    page.get_by_label("Address").fill("anna")
    page.get_by_role("button", name="Make this mailbox").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("anna@firm.example")
    window.context.close()


def test_a_secret_prints_without_the_frame(
    chromium: Browser, live_server: LiveServer, alice: User, account: Account
) -> None:
    anna = Mailbox.objects.get(domain=mail_world.firm(account), local="anna")
    window = Window(chromium, live_server.url, "light", WIDE).sign_in(alice)
    page = window.open(f"/mail/mailboxes/{anna.pk}")
    page.get_by_label("For which device or program?").fill("Scanner")
    page.get_by_role("button", name="Make an app password").click()
    expect(page.locator("#secret")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.get_by_role("button", name="Print this page")).to_be_hidden()
    expect(page.locator("#secret")).to_be_visible()
    window.context.close()
