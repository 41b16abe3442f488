"""A mail gateway opens every link of every letter before its reader does: nothing is confirmed, and the reader still can."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts import actions, address, invitations, recovery, recovery_address
from accounts.models import Account, Letter, Membership, Session, SignInLink, User
from accounts.open import AddressChange, Invitation, Recovery, RecoveryAddress
from audit.models import Event
from tests.accounts.conftest import work_letters
from tests.accounts.passing import passes, way_in, work
from tests.browser.conftest import Window
from tests.browser.scanner import links_of, scan
from tests.keys import give_app

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ALICE, NEW, SECOND = "alice@example.test", "alice@new.test", "second@elsewhere.test"
TABLES = (User, Account, Membership, SignInLink, Invitation, AddressChange, RecoveryAddress, Recovery)


def newest() -> Any:
    """The letter that was written last, as it lies in a mailbox."""
    work()
    work_letters()
    return mail.outbox[-1]


def everything() -> list[object]:
    """What opening a link could have changed."""
    rows = [list(one.objects.order_by("pk").values()) for one in TABLES]
    live = Session.objects.live().count()
    return [*rows, live, Letter.objects.count(), Event.objects.count()]


def press(window: Window, path: str, button: str, then: str) -> None:
    page = window.open(path)
    page.get_by_role("button", name=button).click()
    page.get_by_role("heading", name=then).wait_for()


@pytest.fixture
def scanned(chromium: Browser, live_server: LiveServer) -> Callable[[], str]:
    """Scans the newest letter, and returns the path of its one step."""

    def look() -> str:
        letter = newest()
        before = everything()
        kept = scan(chromium, live_server.url, letter)
        assert everything() == before
        assert set(kept) <= {"csrf", "zone"}
        return next(one for one in links_of(letter) if one != "/")

    return look


def test_the_link_to_sign_in(window: Window, alice: User, scanned: Callable[[], str]) -> None:
    page = window.open("/sign-in?next=/account")
    page.get_by_label("E-mail address").fill(ALICE)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    press(window, scanned(), f"Sign in as {ALICE}", "What we know about you")


def test_the_welcome_that_no_browser_is_bound_to(
    window: Window, alice: User, scanned: Callable[[], str]
) -> None:
    actions.invite_in(email=ALICE, key="w", goes_to="/account", by="gumroad")
    press(window, scanned(), f"Sign in as {ALICE}", "What we know about you")


def test_the_notice_of_a_new_sign_in(window: Window, alice: User, scanned: Callable[[], str]) -> None:
    for _ in range(2):
        actions.invite_in(email=ALICE, key=f"w{_}", goes_to="/account", by="gumroad")
        other = Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
        assert other.post(next(one for one in links_of(newest()) if "/link/" in one)).status_code == 302
    press(window, scanned(), "Sign out Firefox on Windows", "That browser is signed out")
    assert other.get("/account").status_code == 302


def test_the_invitation(window: Window, alice: User, charlie: User, scanned: Callable[[], str]) -> None:
    account = alice.accounts.get()
    invitations.invite(account=account, email=charlie.email, role="member", by=alice)
    way = scanned()
    window.sign_in(charlie)
    page = window.open(way)
    page.get_by_role("button", name="Take part in").click()
    page.wait_for_url("**/overview")
    assert Membership.objects.filter(account=account, user=charlie).exists()


@pytest.mark.parametrize("last", [ALICE, NEW])
def test_both_ends_of_a_change_of_address(
    window: Window, alice: User, last: str, scanned: Callable[[], str]
) -> None:
    first = {ALICE: NEW, NEW: ALICE}[last]
    address.ask(user=alice, new=NEW, old_lost=False, session=None, by="user:1")
    work_letters()
    mail.outbox.sort(key=lambda one: one.to == [last])
    for end in (last, first):
        mail.outbox.sort(key=lambda one, end=end: one.to == [end])
        way = scanned()
        word = "new" if end == NEW else "old"
        press(window, way, f"Yes, this is the {word} address", "This address has said yes")
    work()
    assert User.objects.get().email == NEW


def test_the_notice_to_an_address_that_nobody_reads(
    window: Window, alice: User, scanned: Callable[[], str]
) -> None:
    give_app(alice)
    address.ask(user=alice, new=NEW, old_lost=True, session=None, by="user:1")
    work_letters()
    mail.outbox.sort(key=lambda one: one.to == [ALICE])
    press(window, scanned(), "Stop it: my address stays", "It was stopped")


def test_the_second_address(window: Window, alice: User, scanned: Callable[[], str]) -> None:
    recovery_address.ask(user=alice, email=SECOND, by="user:1")
    press(window, scanned(), f"Yes, {SECOND} is mine", "This address has said yes")
    assert recovery_address.confirmed(alice)


def test_a_recovery_says_neither_yes_nor_no_by_itself(
    window: Window, alice: User, scanned: Callable[[], str]
) -> None:
    give_app(alice)
    recovery_address.ask(user=alice, email=SECOND, by="user:1")
    assert Client().post(way_in("recovery_address_confirm", SECOND)).status_code == 200
    recovery.ask(email=ALICE, network="203.0.113.7")
    work()
    work_letters()
    for end, words in ((ALICE, "Yes, I have lost it"), (SECOND, f"Yes, {ALICE} has lost it")):
        mail.outbox.sort(key=lambda one, end=end: (one.to == [end], "without" in one.subject))
        press(window, scanned(), words, "This address has said yes")
    passes(hours=1)
    work_letters()
    press(window, scanned(), "Stop it: the second factor stays", "It was stopped")
    passes(days=9)
    assert alice.authenticator_set.exists()
