"""Where somebody is signed in: listed, told of when it is new, and ended at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import sessions, tasks
from accounts.models import Letter, Session, SignInLink, User
from audit.models import Event
from mailat.client_address import CLOUDFLARE
from tests.accounts.conftest import Browser, work_letters
from tests.accounts.passing import letters_to, press, way_in
from tests.keys import give_app

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
AGENTS = {
    FIREFOX: "Firefox on Windows",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36": "Chrome on Linux",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15": "Safari on macOS",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1": "Chrome on iPad",
    "curl/8.14": "A browser that does not say which",
    "": "A browser that does not say which",
    "<script>alert(1)</script>" * 500: "A browser that does not say which",
}


def come_in(browser: Browser, user: User) -> Session:
    """As often as the test likes."""
    cache.clear()
    work_letters()
    letter = browser.ask_and_read(user.email)
    assert browser.post(letter.path).status_code == 302
    return Session.objects.get(pk=browser.session["row"])


def is_in(browser: Client) -> bool:
    return browser.get("/account").status_code == 200


@pytest.mark.parametrize(("says", "words"), AGENTS.items(), ids=AGENTS.values())
def test_a_browser_is_called_in_words(alice: User, says: str, words: str) -> None:
    browser = Browser(HTTP_USER_AGENT=says)
    assert sessions.words(come_in(browser, alice)) == words


def test_the_list_says_which_one_asks_and_where_the_others_are(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    come_in(browser, alice)
    other_browser.defaults["HTTP_USER_AGENT"] = FIREFOX
    come_in(other_browser, alice)
    page = browser.get("/account/sessions").content.decode()
    assert page.count("this one") == 1
    assert page.index("this one") < page.index("Firefox on Windows")
    assert "203.0.113.9" in page


def test_a_country_is_told_only_where_our_own_proxy_tells_it(alice: User, settings: Any) -> None:
    assert sessions.place(come_in(Browser(HTTP_CF_IPCOUNTRY="DE"), alice)) == "127.0.0.1"
    settings.COUNTRY_HEADER = "CF-IPCountry"
    assert sessions.place(come_in(Browser(HTTP_CF_IPCOUNTRY="de"), alice)) == "DE · 127.0.0.1"
    for odd in ("XX", "T1", "<b>", "", "Germany"):
        assert sessions.place(come_in(Browser(HTTP_CF_IPCOUNTRY=odd), alice)) == "127.0.0.1"


def test_who_goes_past_cloudflare_tells_no_country(alice: User, settings: Any) -> None:
    settings.COUNTRY_HEADER, settings.TRUSTED_PROXIES = "CF-IPCountry", 1
    settings.CLOUDFLARE_RANGES = list(CLOUDFLARE)
    past = Browser(HTTP_X_FORWARDED_FOR="203.0.113.7", HTTP_CF_IPCOUNTRY="DE")
    assert sessions.place(come_in(past, alice)) == "203.0.113.7"
    through = Browser(
        HTTP_X_FORWARDED_FOR="104.16.3.4", HTTP_CF_CONNECTING_IP="203.0.113.7", HTTP_CF_IPCOUNTRY="DE"
    )
    assert sessions.place(come_in(through, alice)) == "DE · 203.0.113.7"


def test_another_one_is_signed_out_at_once_and_this_one_goes_on(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    come_in(browser, alice)
    there = come_in(other_browser, alice)
    browser.post("/account/sessions", {"do": "one", "one": str(there.pk)})
    assert (is_in(browser), is_in(other_browser)) == (True, False)
    assert Event.objects.filter(action="session.ended", by=f"user:{alice.pk}").count() == 1
    browser.post("/account/sessions", {"do": "one", "one": str(there.pk)})
    assert Event.objects.filter(action="session.ended").count() == 1


def test_everywhere_else_means_also_sessions_that_have_no_row_yet(browser: Browser, alice: User) -> None:
    come_in(browser, alice)
    of_before = Browser()
    of_before.force_login(alice)
    browser.post("/account/sessions", {"do": "others"})
    assert (is_in(browser), is_in(of_before)) == (True, False)
    assert of_before.signed_in_as is None


def test_nobody_ends_what_is_somebody_elses(
    browser: Browser, other_browser: Browser, alice: User, charlie: User
) -> None:
    come_in(browser, alice)
    theirs = come_in(other_browser, charlie)
    for one in (str(theirs.pk), "junk", ""):
        browser.post("/account/sessions", {"do": "one", "one": one})
    assert is_in(other_browser)


def test_a_row_of_somebody_else_in_the_session_is_worth_nothing(
    browser: Browser, other_browser: Browser, alice: User, charlie: User
) -> None:
    come_in(browser, alice)
    theirs = come_in(other_browser, charlie)
    session = browser.session
    session["row"] = str(theirs.pk)
    session.save()
    assert not is_in(browser)


def test_signing_out_ends_the_row(browser: Browser, alice: User) -> None:
    row = come_in(browser, alice)
    browser.post("/sign-out")
    assert not Session.objects.live().filter(pk=row.pk).exists()


def test_a_session_ends_with_its_time_and_showing_oneself_again_renews_it(
    browser: Browser, alice: User
) -> None:
    row = come_in(browser, alice)
    Session.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    assert come_in(browser, alice) == row
    assert Session.objects.get().expires_at > timezone.now() + timedelta(days=13)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_in(browser)


def test_a_mail_alone_renews_nothing_of_who_has_a_second_factor(browser: Browser, alice: User) -> None:
    come_in(browser, alice)
    give_app(alice)
    soon = timezone.now() + timedelta(seconds=60)
    Session.objects.update(expires_at=soon)
    assert browser.post(browser.ask_and_read(alice.email).path).url == "/sign-in/second"
    assert Session.objects.get().expires_at == soon
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_in(browser)


def test_a_session_is_written_when_it_is_seen_but_not_on_every_page(browser: Browser, alice: User) -> None:
    row = come_in(browser, alice)
    browser.get("/account", REMOTE_ADDR="198.51.100.3")
    assert Session.objects.get().seen_at == row.seen_at
    Session.objects.update(seen_at=row.seen_at - timedelta(minutes=6))
    browser.get("/account", REMOTE_ADDR="198.51.100.3")
    assert Session.objects.get().seen_at > row.seen_at
    assert Session.objects.get().address == "198.51.100.3"


def test_a_page_for_everybody_asks_nothing_about_sessions(
    browser: Browser, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert browser.get("/plans").status_code == 200


def test_an_ended_row_in_mid_request_does_not_come_back(browser: Browser, alice: User) -> None:
    row = come_in(browser, alice)
    Session.objects.filter(pk=row.pk).update(
        ended_at=timezone.now(), seen_at=timezone.now() - timedelta(days=1)
    )
    for _ in range(2):
        assert not is_in(browser)
    assert Session.objects.count() == 1


# --- the letter about a new one


def test_the_first_browser_of_a_person_is_not_told_and_the_second_is(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    come_in(browser, alice)
    assert "new_sign_in" not in letters_to(alice.email)
    come_in(other_browser, alice)
    assert letters_to(alice.email).count("new_sign_in") == 1


def test_a_browser_that_was_there_before_is_not_new(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    for one in (browser, other_browser, browser, other_browser):
        come_in(one, alice)
        one.post("/sign-out")
    assert letters_to(alice.email).count("new_sign_in") == 1


def test_a_browser_that_another_person_used_is_new_for_this_one(
    browser: Browser, other_browser: Browser, alice: User, bob: User
) -> None:
    come_in(browser, alice)
    come_in(other_browser, bob)
    other_browser.post("/sign-out")
    come_in(other_browser, alice)
    assert letters_to(alice.email).count("new_sign_in") == 1


def test_the_letters_button_ends_that_session_and_the_links_that_are_out(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    come_in(browser, alice)
    come_in(other_browser, alice)
    thief = Browser(REMOTE_ADDR="198.51.100.66")
    thief.ask(alice.email)
    way = way_in("new_sign_in", alice.email)
    for look in (Client().get, Client().head, other_browser.get):
        assert look(way).status_code == 200
    assert is_in(other_browser)
    assert press(way) == 200
    assert (is_in(browser), is_in(other_browser)) == (True, False)
    assert not SignInLink.objects.live().exists()
    assert press(way) == 200
    assert Event.objects.filter(action="session.ended", by="letter").count() == 1


@pytest.mark.parametrize("token", ["0" * 64, "x", "é", "0" * 5000])
def test_a_made_up_link_ends_nothing(browser: Browser, alice: User, token: str) -> None:
    row = come_in(browser, alice)
    assert press(f"/sign-ins/{row.pk}/{token}") == 410
    assert press(f"/sign-ins/00000000-0000-4000-8000-000000000000/{token}") == 410
    assert is_in(browser)


def test_the_letter_keeps_no_secret(browser: Browser, other_browser: Browser, alice: User) -> None:
    come_in(browser, alice)
    come_in(other_browser, alice)
    token = way_in("new_sign_in", alice.email).rpartition("/")[2]
    assert token not in str(list(Letter.objects.values())) + str(list(Session.objects.values()))


def test_old_rows_leave_but_never_the_newest_of_a_person(
    browser: Browser, other_browser: Browser, alice: User
) -> None:
    come_in(browser, alice)
    newest = come_in(other_browser, alice)
    old = timezone.now() - timedelta(days=100)
    Session.objects.exclude(pk=newest.pk).update(seen_at=old - timedelta(days=1), expires_at=old)
    Session.objects.filter(pk=newest.pk).update(seen_at=old, expires_at=old)
    tasks.forget_links()
    assert Session.objects.get() == newest
