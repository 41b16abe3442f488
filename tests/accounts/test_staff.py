"""Staff come in by the same door as everybody, and nobody else gets past it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Session, User
from audit.models import Event
from tests.accounts.conftest import Browser
from tests.keys import code_of

pytestmark = pytest.mark.django_db


def make_staff(*args: str) -> str:
    out = StringIO()
    call_command("make_staff", *args, stdout=out)
    return out.getvalue()


def test_a_shell_makes_somebody_staff_and_says_where_they_sign_in() -> None:
    said = make_staff("--email", "Stella@example.test", "--name", "Stella")
    stella = User.objects.get()
    assert (stella.email, stella.name, stella.is_staff, stella.is_superuser) == (
        "stella@example.test",
        "Stella",
        True,
        True,
    )
    assert not stella.has_usable_password()
    assert "http://testserver/sign-in?next=%2Fadmin%2F" in said
    assert Event.objects.filter(action="staff.made", subject=f"user:{stella.pk}").exists()


def test_an_existing_person_is_raised_and_stays_themselves(alice: User) -> None:
    make_staff("--email", alice.email)
    alice.refresh_from_db()
    assert (alice.is_staff, alice.name) == (True, "Alice")


def test_what_is_no_address_makes_nobody() -> None:
    with pytest.raises(CommandError, match="no e-mail address"):
        make_staff("--email", "stella")
    assert not User.objects.exists()


def test_stella_comes_to_the_admin_by_a_link_and_her_app(browser: Browser, stella: User) -> None:
    to_door = browser.get("/admin/")
    to_sign_in = browser.get(to_door.url)
    assert to_sign_in.url == "/sign-in?next=%2Fadmin%2F"
    letter = browser.ask_and_read(stella.email, "/admin/")
    assert browser.post(letter.path).url == "/sign-in/second"
    assert browser.signed_in_as is None
    assert browser.post("/sign-in/second", {"do": "code", "code": code_of()}).url == "/admin/"
    assert browser.get("/admin/").status_code == 200
    assert not stella.memberships.exists()


def test_a_page_of_the_admin_is_come_back_to(browser: Browser, stella: User) -> None:
    door = browser.get("/admin/accounts/user/?q=a&p=1")
    browser.force_login(stella)
    assert browser.get(door.url).url == "/admin/accounts/user/?q=a&p=1"


def test_the_door_leads_off_the_site_for_nobody(browser: Browser, stella: User) -> None:
    assert browser.get("/admin/login/", {"next": "//evil.test"}).url == "/sign-in?next=%2Fadmin%2F"
    browser.force_login(stella)
    assert browser.get("/admin/login/", {"next": "//evil.test"}).url == "/admin/"


def test_stella_ends_another_session_of_hers(browser: Browser, other_browser: Browser, stella: User) -> None:
    for window in (browser, other_browser):
        window.force_login(stella)
        assert window.get("/admin/").status_code == 200
    there = other_browser.session["row"]
    assert 'href="/account/sessions"' in browser.get("/admin/").content.decode()
    assert there in browser.get("/account/sessions").content.decode()
    browser.post("/account/sessions", {"do": "one", "one": there})
    assert other_browser.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == 200


def test_the_admins_way_out_is_ours(browser: Browser, stella: User) -> None:
    browser.force_login(stella)
    browser.get("/admin/")
    row = Session.objects.get(pk=browser.session["row"])
    assert browser.post("/admin/logout/")["Location"] == "/"
    row.refresh_from_db()
    assert row.ended_at is not None
    assert Event.objects.filter(action="person.signed_out", by=f"user:{stella.pk}").count() == 1
    assert browser.get("/admin/").status_code == 302


def test_alice_is_refused_and_not_sent_round_in_circles(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    assert browser.get("/admin/", follow=True).status_code == 403


def test_no_password_is_taken_at_the_door(browser: Browser, stella: User) -> None:
    stella.set_password("a password set in some other way")
    stella.save()
    answer = browser.post(
        "/admin/login/", {"username": stella.email, "password": "a password set in some other way"}
    )
    assert answer.status_code == 302
    assert browser.signed_in_as is None
