"""The way in that most people take: ask, open the mail in the same browser, press the button."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from accounts.models import Account, SignInLink, User
from audit.models import Event
from tests.accounts.conftest import Browser, last_mail, work_letters

pytestmark = pytest.mark.django_db


def test_alice_signs_in_by_the_button_behind_her_link(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read("alice@example.test", "/servers/new")
    page = browser.get(letter.path)
    assert "Sign in as alice@example.test" in page.content.decode()
    assert browser.signed_in_as is None
    answer = browser.post(letter.path)
    assert (answer.status_code, answer.url) == (302, "/servers/new")
    assert browser.signed_in_as == alice.pk


def test_without_a_destination_she_arrives_at_the_overview(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read("alice@example.test")
    assert browser.post(letter.path).url == "/overview"


def test_case_and_blanks_of_an_address_do_not_matter(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read("  Alice@Example.TEST ")
    browser.post(letter.path)
    assert browser.signed_in_as == alice.pk
    assert User.objects.count() == 1


def test_somebody_new_comes_into_being_when_the_link_is_used_and_not_before(browser: Browser) -> None:
    letter = browser.ask_and_read("dora@example.test")
    browser.get(letter.path)
    assert not User.objects.exists()
    browser.post(letter.path)
    dora = User.objects.get()
    assert (browser.signed_in_as, dora.has_usable_password()) == (dora.pk, False)
    assert dora.memberships.get().role == "owner"


def test_a_member_who_signs_in_gets_no_account_of_their_own(browser: Browser, bob: User) -> None:
    letter = browser.ask_and_read(bob.email)
    browser.post(letter.path)
    assert Account.objects.count() == 1


def test_the_address_counts_as_verified_and_no_second_mail_goes_out(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    work_letters()
    assert EmailAddress.objects.get(user=alice).verified
    assert len(mail.outbox) == 1


def test_the_session_gets_a_new_key_and_remembers_how_it_was_begun(browser: Browser, alice: User) -> None:
    session = browser.session
    session["before"] = "there was a session"
    session.save()
    before = session.session_key
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    assert browser.session.session_key != before
    assert browser.session["account_authentication_methods"][0]["method"] == "magic_link"


def test_another_person_takes_nothing_over_from_the_session_before(
    browser: Browser, alice: User, charlie: User
) -> None:
    browser.force_login(charlie)
    session = browser.session
    session["account"] = "charlie's"
    session.save()
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    assert browser.signed_in_as == alice.pk
    assert "account" not in browser.session
    assert browser.session["account_authentication_methods"][0]["email"] == alice.email


def test_a_link_works_once(browser: Browser, other_browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    browser.post("/sign-out")
    again = browser.post(letter.path)
    assert again.status_code == 410
    assert browser.signed_in_as is None
    assert other_browser.post(letter.path).status_code == 410


def test_going_back_to_a_used_link_leads_on_instead_of_complaining(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email, "/billing")
    browser.post(letter.path)
    for answer in (browser.get(letter.path), browser.post(letter.path)):
        assert (answer.status_code, answer.url) == (302, "/billing")


def test_an_expired_link_offers_a_new_one_and_nothing_is_lost(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email, "/servers/new")
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (browser.get(letter.path), browser.post(letter.path)):
        page = answer.content.decode()
        assert answer.status_code == 410
        assert 'value="alice@example.test"' in page
        assert 'name="next" value="/servers/new"' in page
    assert browser.signed_in_as is None


def test_a_token_that_never_was_is_answered_like_an_old_one(browser: Browser) -> None:
    assert browser.get("/sign-in/link/" + "0" * 64).status_code == 410
    assert browser.post("/sign-in/link/nonsense%00").status_code == 410


def test_a_newer_link_kills_the_older_one(browser: Browser, other_browser: Browser, alice: User) -> None:
    first = browser.ask_and_read(alice.email)
    second = other_browser.ask_and_read(alice.email)
    assert browser.post(first.path).status_code == 410
    assert other_browser.post(second.path).status_code == 302


def test_two_tabs_may_ask_for_two_people(browser: Browser, alice: User, charlie: User) -> None:
    for_alice = browser.ask_and_read(alice.email)
    for_charlie = browser.ask_and_read(charlie.email)
    assert "Sign in as alice@" in browser.get(for_alice.path).content.decode()
    assert browser.post(for_charlie.path).status_code == 302
    assert browser.signed_in_as == charlie.pk


def test_two_tabs_may_ask_for_the_same_person_and_the_newest_mail_counts(
    browser: Browser, alice: User
) -> None:
    first, second = browser.ask_and_read(alice.email), browser.ask_and_read(alice.email)
    assert browser.get(first.path).status_code == 410
    assert browser.post(second.path).status_code == 302


def test_somebody_deactivated_gets_no_letter_and_the_same_answers(browser: Browser, alice: User) -> None:
    known = browser.ask(alice.email)
    User.objects.update(is_active=False)
    shut_out = browser.ask(alice.email)
    work_letters()
    assert (shut_out.status_code, shut_out.url) == (known.status_code, known.url)
    assert mail.outbox == []


def test_a_link_that_was_sent_before_somebody_was_deactivated_is_of_no_use(
    browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email)
    User.objects.update(is_active=False)
    assert browser.post(letter.path).status_code == 410
    assert browser.signed_in_as is None
    assert not Event.objects.filter(account_id=alice.accounts.get().pk).exists()


def test_signing_in_and_out_is_written_down_for_the_account(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path, REMOTE_ADDR="198.51.100.7")
    browser.post("/sign-out")
    came, went = Event.objects.filter(account_id=alice.accounts.get().pk, action__startswith="person.signed")
    assert (came.action, came.by, came.facts) == (
        "person.signed_in",
        f"user:{alice.pk}",
        {"how": "link", "network": "198.51.100.7"},
    )
    assert went.action == "person.signed_out"


def test_signing_out_is_a_post_and_ends_the_session(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    assert browser.get("/sign-out").status_code == 405
    assert browser.signed_in_as == alice.pk
    assert browser.post("/sign-out").url == "/"
    assert browser.signed_in_as is None


def test_a_link_bound_to_no_browser_signs_in_where_it_is_opened(other_browser: Browser, alice: User) -> None:
    from accounts import actions

    actions.invite_in(email=alice.email, key="welcome:1", goes_to="/servers/new", by="gumroad")
    letter = last_mail()
    assert "Sign in as alice@" in other_browser.get(letter.path).content.decode()
    assert other_browser.signed_in_as is None
    assert other_browser.post(letter.path).url == "/servers/new"
    assert other_browser.signed_in_as == alice.pk


@pytest.mark.parametrize(
    "given", ["", "alice", "alice@", "a@b@c.test", "x" * 250 + "@example.test", "a\0@b.test"]
)
def test_what_is_no_address_is_said_to_be_none(browser: Browser, given: str) -> None:
    answer = browser.ask(given, "/billing")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Enter" in page
    assert 'name="next" value="/billing"' in page
    assert not SignInLink.objects.exists()


AWAY = [
    "https://evil.test/",
    "//evil.test",
    "/\\evil.test",
    "javascript:alert(1)",
    "http:///evil.test",
    "/x" * 150,
]
AWAY += ["evil.test", "\t//evil.test", "/billing\0", "http://testserver.evil.test/", "/\n/evil.test"]


@pytest.mark.parametrize("goes_to", AWAY)
def test_nobody_is_led_off_the_site(browser: Browser, alice: User, goes_to: str) -> None:
    letter = browser.ask_and_read(alice.email, goes_to)
    assert browser.post(letter.path).url == "/overview"


@pytest.mark.parametrize("goes_to", AWAY)
def test_nor_if_they_are_signed_in_already(browser: Browser, alice: User, goes_to: str) -> None:
    browser.force_login(alice)
    assert browser.get("/sign-in", {"next": goes_to}).url == "/overview"


def test_pages_of_signing_in_are_kept_nowhere_and_their_path_is_told_to_no_one(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    letter = browser.ask_and_read(alice.email)
    answers = [
        browser.get("/sign-in"),
        browser.get("/sign-in/code"),
        browser.get(letter.path),
        other_browser.get(letter.path),
        browser.post(letter.path),
        other_browser.get(letter.path),
    ]
    for answer in answers:
        assert answer["Referrer-Policy"] in ("no-referrer", "strict-origin")
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Robots-Tag"] == "noindex"


def test_allauths_own_pages_are_not_there(browser: Browser) -> None:
    for path in ("/accounts/login/", "/login/", "/signup/", "/accounts/password/reset/"):
        assert browser.get(path).status_code == 404
