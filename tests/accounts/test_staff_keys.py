"""Nothing of the admin opens for a session that never showed a second factor."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from tests.accounts.conftest import Browser
from tests.keys import age, code_of, forget_factor, give_app

pytestmark = pytest.mark.django_db
UUID = "00000000-0000-4000-8000-000000000000"


def every_address() -> list[str]:
    """Of the admin, as the resolver knows it, with words that nobody has where it wants some."""
    found = [one for one in get_resolver().url_patterns if str(one.pattern).startswith("admin/")]
    return sorted({address for one in found for address in _of(one, "/")})


def _of(one: URLPattern | URLResolver, before: str) -> list[str]:
    if isinstance(one, URLResolver):
        return [path for inner in one.url_patterns for path in _of(inner, before + str(one.pattern))]
    return [_filled(before + str(one.pattern))]


def _filled(pattern: str) -> str:
    if "^" in pattern:  # the one for all that is left over
        return "/admin/nowhere/"
    pieces = [UUID if piece.startswith("<uuid:") else piece for piece in pattern.split("/")]
    return "/".join("1" if piece.startswith("<") else piece for piece in pieces)


def test_the_admin_has_many_addresses() -> None:
    assert len(every_address()) > 2 * len(admin.site._registry)


@pytest.fixture
def without_factor(browser: Browser) -> Browser:
    browser.force_login(User.objects.create_user("sam@example.test", is_staff=True, is_superuser=True))
    return browser


@pytest.fixture
def from_before(browser: Browser, stella: User) -> Browser:
    """A session of a superuser, made by a mail alone."""
    browser.force_login(stella)
    forget_factor(browser)
    return browser


@pytest.mark.parametrize("who", ["without_factor", "from_before"])
def test_every_address_is_shut_for(who: str, request: pytest.FixtureRequest) -> None:
    browser = request.getfixturevalue(who)
    for address in every_address():
        for answer in (browser.get(address), browser.post(address, {"action": "x"})):
            shut = answer.status_code in (302, 404, 405)
            assert shut, f"{address} answered {answer.status_code}"
            assert answer.status_code != 302 or not answer.url.startswith("/admin/accounts"), address


def test_without_a_factor_the_door_leads_to_the_page_where_one_is_added(without_factor: Browser) -> None:
    door = without_factor.get("/admin/").url
    assert without_factor.get(door).url == "/account/security"
    page = without_factor.get("/account/security")
    assert page.status_code == 200
    assert "once you have a second factor" in page.content.decode()


def test_with_one_that_was_not_shown_the_door_asks_for_it_and_then_opens(from_before: Browser) -> None:
    door = from_before.get("/admin/accounts/user/").url
    asks = from_before.get(door).url
    assert asks == "/prove?next=%2Fadmin%2Faccounts%2Fuser%2F"
    sent = {"do": "code", "code": code_of(), "next": "/admin/accounts/user/"}
    assert from_before.post("/prove", sent).url == "/admin/accounts/user/"
    assert from_before.get("/admin/accounts/user/").status_code == 200


def test_a_mail_does_not_open_the_door_for_who_has_a_factor(from_before: Browser) -> None:
    from_before.post("/prove", {"do": "send"})
    assert from_before.get("/admin/").status_code == 302


def test_the_door_is_shut_again_when_the_factor_is_removed(browser: Browser, stella: User) -> None:
    browser.force_login(stella)
    assert browser.get("/admin/").status_code == 200
    Authenticator.objects.all().delete()
    assert browser.get("/admin/").status_code == 302


def test_an_hour_later_the_admin_is_still_open(browser: Browser, stella: User) -> None:
    browser.force_login(stella)
    age(browser)
    assert browser.get("/admin/").status_code == 200


def test_a_customer_with_a_factor_is_no_staff(browser: Browser, alice: User) -> None:
    give_app(alice)
    browser.force_login(alice)
    assert browser.get("/admin/", follow=True).status_code == 403


def test_what_people_prove_themselves_by_has_no_list_in_the_admin(browser: Browser, stella: User) -> None:
    browser.force_login(stella)
    assert Authenticator not in admin.site._registry
    assert browser.get("/admin/mfa/authenticator/").status_code == 404
