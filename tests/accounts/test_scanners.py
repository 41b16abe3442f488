"""Mail scanners open every link, at once, from elsewhere, some with a whole browser; that must use nothing up."""

import pytest

from accounts.models import Account, SignInLink, User
from audit.models import Event
from tests.accounts.conftest import Browser

pytestmark = pytest.mark.django_db


def everything() -> list[object]:
    """What a visit could have changed."""
    return [
        list(SignInLink.objects.order_by("pk").values()),
        list(User.objects.order_by("pk").values()),
        Account.objects.count(),
        Event.objects.count(),
    ]


@pytest.mark.parametrize("way", ["get", "head", "options"])
def test_looking_at_a_link_changes_nothing(browser: Browser, alice: User, way: str) -> None:
    letter = browser.ask_and_read(alice.email)
    before = everything()
    for place in ("203.0.113.1", "198.51.100.2", "2001:db8::3"):
        for _ in range(2):
            getattr(Browser(REMOTE_ADDR=place), way)(letter.path)
    assert everything() == before
    assert browser.post(letter.path).status_code == 302


def test_a_scanner_with_a_whole_browser_that_comes_back_uses_nothing_up(
    browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email)
    scanner = Browser(REMOTE_ADDR="203.0.113.1", enforce_csrf_checks=True)
    for _ in range(2):
        page = scanner.get(letter.path)
        assert b"<script>" not in page.content
        assert b"<form" not in page.content.split(b"<main")[1].split(b"</main")[0]
    assert scanner.signed_in_as is None
    assert browser.post(letter.path).status_code == 302


def test_a_scanner_that_even_posts_is_not_the_browser_that_asked(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    scanner = Browser(REMOTE_ADDR="203.0.113.1")
    assert scanner.post(letter.path).status_code == 200
    assert scanner.signed_in_as is None
    assert browser.post(letter.path).status_code == 302


def test_a_made_up_cookie_is_not_the_browser_that_asked(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    forger = Browser()
    for value in ("", "x", "A" * 43, SignInLink.objects.get().browser_hash):
        forger.cookies["asked"] = value
        forger.post(letter.path)
        assert forger.signed_in_as is None


def test_a_scanner_does_not_use_up_an_invitation_by_looking(alice: User) -> None:
    from accounts import actions
    from tests.accounts.conftest import last_mail

    actions.invite_in(email=alice.email, key="welcome:1", goes_to="/servers/new", by="gumroad")
    letter = last_mail()
    before = everything()
    for _ in range(3):
        scanner = Browser(enforce_csrf_checks=True)
        scanner.head(letter.path)
        scanner.get(letter.path)
        assert scanner.post(letter.path).status_code == 403
    assert everything() == before


def test_the_button_is_protected_against_forged_requests(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get("/sign-in").content.decode()
    mark = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert browser.post("/sign-in", {"email": alice.email}).status_code == 403
    assert browser.post("/sign-in", {"email": alice.email, "csrfmiddlewaretoken": mark}).status_code == 302
