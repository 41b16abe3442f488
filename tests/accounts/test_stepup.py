"""Before what cannot be undone a person shows again that it is them, by what only they have."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Letter, SignInLink, User
from audit.models import Event
from tests.accounts.conftest import Browser, work_letters
from tests.keys import age, code_of, give_app

pytestmark = pytest.mark.django_db
WAY = re.compile(r"http://testserver(/prove/link/(\w+))")
SECRET_PAGE = "/account/security/app"
ASKS = "/prove?next=%2Faccount%2Fsecurity%2Fapp"


@pytest.fixture
def stale(browser: Browser, alice: User) -> Browser:
    """Alice's browser, an hour after she signed in."""
    browser.force_login(alice)
    age(browser)
    return browser


def asked(browser: Client, goes_to: str = SECRET_PAGE) -> str:
    """Where the link in the mail leads."""
    browser.post("/prove", {"do": "send", "next": goes_to})
    work_letters()
    return WAY.search(str(mail.outbox[-1].body)).group(1)


def code_behind(path: str) -> str:
    """What another device shows."""
    page = Client().get(path).content.decode()
    return re.search(r'class="code">([A-Z-]+)<', page).group(1)


def is_open(browser: Client) -> bool:
    return browser.get(SECRET_PAGE).status_code == 200


def test_who_has_just_signed_in_by_a_link_is_not_asked(browser: Browser, alice: User) -> None:
    letter = browser.ask_and_read(alice.email)
    browser.post(letter.path)
    assert is_open(browser)


def test_an_hour_later_they_are_asked_and_led_back(stale: Browser) -> None:
    assert stale.get(SECRET_PAGE).url == ASKS
    page = stale.get(ASKS).content.decode()
    assert "Send a mail to alice@example.test" in page
    assert f'href="{SECRET_PAGE}"' in page


def test_strangers_are_asked_to_sign_in_instead(browser: Browser) -> None:
    assert browser.get(SECRET_PAGE).url.startswith("/sign-in?next=")
    assert browser.get("/prove?next=/billing").url == "/sign-in?next=%2Fbilling"


def test_the_link_counts_in_the_session_that_asked(stale: Browser) -> None:
    path = asked(stale)
    assert stale.get(path).status_code == 200
    assert not is_open(stale)
    assert stale.post(path).url == SECRET_PAGE
    assert is_open(stale)


def test_the_link_counts_in_no_other_session_of_the_same_person(
    stale: Browser, other_browser: Browser, alice: User
) -> None:
    other_browser.force_login(alice)
    age(other_browser)
    path = asked(stale)
    page = other_browser.post(path)
    assert (page.status_code, b"Type this code" in page.content) == (200, True)
    assert not is_open(other_browser)
    assert stale.post(path).status_code == 302


def test_the_link_signs_nobody_in(stale: Browser, other_browser: Browser) -> None:
    token = asked(stale).rpartition("/")[2]
    for path in (f"/prove/link/{token}", f"/sign-in/link/{token}"):
        other_browser.get(path)
        other_browser.head(path)
        other_browser.post(path)
    assert other_browser.signed_in_as is None
    assert SignInLink.objects.get().used_at is None


def test_a_link_to_sign_in_is_no_proof(stale: Browser, alice: User) -> None:
    letter = stale.ask_and_read(alice.email)
    assert stale.post(f"/prove/link/{letter.token}").status_code == 200
    assert stale.post("/prove", {"do": "mail", "code": letter.code}).status_code == 422
    assert not is_open(stale)


def test_the_code_that_another_device_shows_is_typed_here(stale: Browser) -> None:
    code = code_behind(asked(stale))
    sent = {"do": "mail", "code": code.lower().replace("-", " "), "next": SECRET_PAGE}
    assert stale.post("/prove", sent).url == SECRET_PAGE
    assert is_open(stale)


def test_the_code_is_of_no_use_in_another_session(
    stale: Browser, other_browser: Browser, alice: User
) -> None:
    other_browser.force_login(alice)
    age(other_browser)
    code = code_behind(asked(stale))
    assert other_browser.post("/prove", {"do": "mail", "code": code}).status_code == 422
    assert not is_open(other_browser)


def test_five_wrong_codes_end_the_link(stale: Browser) -> None:
    path = asked(stale)
    code = code_behind(path)
    for _ in range(SignInLink.MOST_TRIES):
        assert stale.post("/prove", {"do": "mail", "code": "BCDF-GHJK"}).status_code == 422
    assert stale.post("/prove", {"do": "mail", "code": code}).status_code == 422
    assert stale.post(path).status_code == 410
    assert not is_open(stale)


def test_the_newest_mail_counts_and_each_once(stale: Browser) -> None:
    first, second = asked(stale), asked(stale)
    assert stale.post(first).status_code == 410
    assert stale.post(second).status_code == 302
    age(stale)
    assert stale.post(second).status_code == 410
    assert not is_open(stale)


def test_a_link_of_before_signing_out_is_of_no_use_after_it(stale: Browser, alice: User) -> None:
    path = asked(stale)
    stale.post("/sign-out")
    stale.force_login(alice)
    age(stale)
    stale.post(path)
    assert not is_open(stale)


def test_alices_proof_is_none_of_bobs(stale: Browser, bob: User) -> None:
    path = asked(stale)
    session = stale.session
    kept = session["proof"]
    stale.force_login(bob)
    age(stale)
    session = stale.session
    session["proof"] = kept
    session.save()
    assert stale.post(path).status_code == 200
    assert not is_open(stale)


def test_who_has_an_app_shows_that_and_no_mail_will_do(stale: Browser, alice: User) -> None:
    path = asked(stale)
    give_app(alice)
    assert b"Send a mail" not in stale.get(ASKS).content
    stale.post(path)
    assert not is_open(stale)
    sent = {"do": "code", "code": code_of(), "next": "/billing"}
    assert stale.post("/prove", sent).url == "/billing"
    assert stale.post("/account/security/codes").status_code == 200


def test_a_code_of_an_app_is_taken_once(stale: Browser, alice: User) -> None:
    give_app(alice)
    sent = {"do": "code", "code": code_of()}
    assert stale.post("/prove", sent).status_code == 302
    age(stale)
    assert stale.post("/prove", sent).status_code == 422


def test_codes_are_not_guessed(stale: Browser, alice: User) -> None:
    give_app(alice)
    wrong = {"do": "code", "code": "000000" if code_of() != "000000" else "111111"}
    assert [stale.post("/prove", wrong).status_code for _ in range(6)] == [422] * 5 + [429]
    assert stale.post("/prove", {"do": "code", "code": code_of()}).status_code == 429
    assert Event.objects.filter(action="key.refused").count() == 5


def test_what_was_posted_leads_back_to_the_page_of_its_form(stale: Browser) -> None:
    answer = stale.post(
        "/account/security/codes", headers={"referer": "http://testserver/account/security?x=1"}
    )
    assert answer.url == "/prove?next=%2Faccount%2Fsecurity%3Fx%3D1"
    answer = stale.post("/account/security/codes", headers={"referer": "https://evil.test/phish"})
    assert answer.url == "/prove?next=%2Faccount%2Fsecurity%2Fcodes"


def test_who_sent_a_form_is_told_to_send_it_again_and_who_looked_is_not(stale: Browser, alice: User) -> None:
    give_app(alice)
    stale.post("/account/security/codes")
    stale.post("/prove", {"do": "code", "code": code_of()})
    assert "do once more what you were about to do" in stale.get("/account/security").content.decode()
    age(stale)
    stale.get("/account/security/passkeys/new")
    stale.post("/prove", {"do": "code", "code": code_of(periods=1)})
    page = stale.get("/account/security/passkeys/new")
    assert (page.status_code, b"do once more" in page.content) == (200, False)


def test_a_part_of_a_page_takes_the_whole_page_with_it(stale: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/servers/1"}
    answer = stale.post("/account/security/codes", headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/prove?next=%2Fservers%2F1")


@pytest.mark.parametrize(
    "given", ["//evil.test", "https://evil.test/", "javascript:alert(1)", "/\\evil.test"]
)
def test_it_leads_off_the_site_for_nobody(browser: Browser, alice: User, given: str) -> None:
    browser.force_login(alice)
    assert browser.get("/prove", {"next": given}).url == "/overview"


@pytest.mark.parametrize("do", ["", "send", "mail", "code", "passkey", "nonsense"])
def test_junk_is_answered_and_proves_nothing(stale: Browser, do: str) -> None:
    junk = {"do": do, "code": "\0'; --", "credential": "[" * 9000, "next": "\x7f"}
    assert stale.post("/prove", junk).status_code in (200, 422)
    assert not is_open(stale)


def test_the_letter_holds_no_secret_before_it_is_sent(stale: Browser) -> None:
    path = asked(stale)
    row = Letter.objects.get(kind="prove")
    assert path.rpartition("/")[2] not in str(row.context)
    assert Event.objects.filter(action="proof.asked").exists()


def test_mails_are_not_sent_without_end(stale: Browser) -> None:
    said = [stale.post("/prove", {"do": "send"}).status_code for _ in range(4)]
    assert said == [200, 200, 200, 429]


def test_the_pages_are_kept_by_nobody(stale: Browser) -> None:
    assert "no-store" in stale.get(reverse("prove"))["Cache-Control"]
