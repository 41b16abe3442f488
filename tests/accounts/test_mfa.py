"""An app's codes and the recovery codes: how they come, what they open, and how they end."""

import re
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core import mail

from accounts import mfa
from accounts.models import Letter, User
from audit.models import Event
from tests.accounts.conftest import Browser, work_letters
from tests.keys import SECRET, age, code_of, give_app

pytestmark = pytest.mark.django_db
KEY = re.compile(r'class="secret">([A-Z2-7 ]+)<')
CODES = re.compile(r"<li><code>([\d ]+)</code>")


def set_up(browser: Browser) -> list[str]:
    """Adds an app; the recovery codes that are shown."""
    secret = KEY.search(browser.get("/account/security/app").content.decode()).group(1).replace(" ", "")
    answer = browser.post("/account/security/app", {"code": code_of(secret)})
    assert answer.status_code == 200
    return CODES.findall(answer.content.decode())


@pytest.fixture
def at_second_step(browser: Browser, alice: User) -> Browser:
    """Alice has an app, and has used her link."""
    give_app(alice)
    letter = browser.ask_and_read(alice.email, "/billing")
    assert browser.post(letter.path).url == "/sign-in/second"
    return browser


def test_an_app_counts_once_it_has_shown_a_code(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    browser.get("/account/security/app")
    assert browser.post("/account/security/app", {"code": "000000"}).status_code == 422
    assert not Authenticator.objects.exists()
    assert len(set_up(browser)) == 10
    assert mfa.has_second_factor(alice)
    assert browser.get("/account/security/app").url == "/account/security"


def test_a_wrong_code_leaves_the_picture_as_it_was(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    before = KEY.search(browser.get("/account/security/app").content.decode()).group()
    after = browser.post("/account/security/app", {"code": "123"}).content.decode()
    assert before in after


def test_no_secret_lies_open_in_the_database(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    page = browser.get("/account/security/app").content.decode()
    secret = KEY.search(page).group(1).replace(" ", "")
    session = Session.objects.get(pk=browser.session.session_key).get_decoded()
    assert secret not in str(session)
    browser.post("/account/security/app", {"code": code_of(secret)})
    rows = str(list(Authenticator.objects.values())) + str(list(Letter.objects.values("context")))
    assert secret not in rows + str(list(Event.objects.values("facts")))
    assert mfa.Adapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret


def test_what_is_encrypted_differs_each_time_and_cannot_be_changed() -> None:
    one, other = mfa.Adapter().encrypt("same"), mfa.Adapter().encrypt("same")
    assert one != other
    with pytest.raises(mfa.Unreadable):
        mfa.Adapter().decrypt(other[:20] + ("A" if other[20] != "A" else "B") + other[21:])


def test_after_a_change_of_the_key_the_old_one_still_reads(settings: Any) -> None:
    sealed, before = mfa.Adapter().encrypt("kept"), settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "a new one"
    with pytest.raises(mfa.Unreadable):
        mfa.Adapter().decrypt(sealed)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert mfa.Adapter().decrypt(sealed) == "kept"


def test_a_link_alone_is_not_enough_any_more(at_second_step: Browser, alice: User) -> None:
    assert at_second_step.signed_in_as is None
    assert at_second_step.get("/overview").url.startswith("/sign-in")
    assert not Event.objects.filter(action="person.signed_in").exists()


def test_the_code_is_enough_after_the_link(at_second_step: Browser, alice: User) -> None:
    assert at_second_step.get("/sign-in/second").status_code == 200
    answer = at_second_step.post("/sign-in/second", {"do": "code", "code": code_of()})
    assert answer.url == "/billing"
    assert at_second_step.signed_in_as == alice.pk
    came = Event.objects.get(action="person.signed_in")
    assert came.facts["how"] == "link and app"


def test_nobody_comes_to_the_second_step_without_the_first(browser: Browser, alice: User) -> None:
    give_app(alice)
    for answer in (browser.get("/sign-in/second"), browser.post("/sign-in/second", {"code": code_of()})):
        assert answer.url == "/sign-in"
    assert browser.signed_in_as is None


def test_a_telephone_may_be_half_a_minute_wrong_and_no_more(at_second_step: Browser, alice: User) -> None:
    for periods in (-3, 3):
        wrong = {"do": "code", "code": code_of(periods=periods)}
        assert at_second_step.post("/sign-in/second", wrong).status_code == 422
    assert mfa.period_of(SECRET, code_of(periods=-1)) or mfa.period_of(SECRET, code_of())


def test_a_code_that_was_seen_is_of_no_use_nor_is_an_earlier_one(
    at_second_step: Browser, other_browser: Browser, alice: User
) -> None:
    seen, earlier = code_of(), code_of(periods=-1)
    assert at_second_step.post("/sign-in/second", {"do": "code", "code": seen}).status_code == 302
    letter = other_browser.ask_and_read(alice.email)
    other_browser.post(letter.path)
    for code in (seen, earlier):
        assert other_browser.post("/sign-in/second", {"do": "code", "code": code}).status_code == 422


def test_codes_are_not_guessed_in_several_browsers(at_second_step: Browser, alice: User) -> None:
    wrong = {"do": "code", "code": "000000" if code_of() != "000000" else "111111"}
    for _ in range(3):
        at_second_step.post("/sign-in/second", wrong)
    other = Browser(REMOTE_ADDR="198.51.100.7")
    other.post(other.ask_and_read(alice.email).path)
    assert [other.post("/sign-in/second", wrong).status_code for _ in range(3)] == [422, 422, 429]


def test_somebody_deactivated_after_the_link_gets_no_further(at_second_step: Browser) -> None:
    User.objects.update(is_active=False)
    assert at_second_step.post("/sign-in/second", {"do": "code", "code": code_of()}).url == "/sign-in"
    assert at_second_step.signed_in_as is None


@pytest.mark.parametrize(("seconds", "is_in"), [(870, True), (901, False)])
def test_a_sign_in_that_is_half_done_ends_after_a_quarter_of_an_hour(
    at_second_step: Browser, seconds: int, is_in: bool
) -> None:
    session = at_second_step.session
    session["account_login"]["initiated_at"] -= seconds
    session.save()
    answer = at_second_step.post("/sign-in/second", {"do": "code", "code": code_of()})
    assert answer.url == ("/billing" if is_in else "/sign-in")
    assert bool(at_second_step.signed_in_as) is is_in
    assert "account_login" not in at_second_step.session


def test_starting_again_forgets_the_link(at_second_step: Browser) -> None:
    at_second_step.post("/sign-in/give-up")
    assert at_second_step.get("/sign-in/second").url == "/sign-in"


def test_a_recovery_code_opens_once_and_its_use_is_told(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    codes = set_up(browser)
    browser.post("/sign-out")
    work_letters()
    browser.post(browser.ask_and_read(alice.email).path)
    assert browser.post("/sign-in/second", {"do": "code", "code": codes[3]}).status_code == 302
    assert browser.signed_in_as == alice.pk
    work_letters()
    assert "9 are left" in str(mail.outbox[-1].body)
    age(browser)
    assert browser.post("/prove", {"do": "code", "code": codes[3]}).status_code == 422
    assert browser.post("/prove", {"do": "code", "code": codes[4].replace(" ", "-")}).status_code == 302
    assert "8 codes of" in browser.get("/account/security").content.decode()


def test_new_recovery_codes_end_the_old_ones(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    old = set_up(browser)
    new = CODES.findall(browser.post("/account/security/codes").content.decode())
    assert not set(old) & set(new)
    age(browser)
    assert browser.post("/prove", {"do": "code", "code": old[0]}).status_code == 422
    assert browser.post("/prove", {"do": "code", "code": new[0]}).status_code == 302


def test_without_a_factor_there_are_no_recovery_codes(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    assert browser.post("/account/security/codes").url == "/account/security"
    assert browser.get("/account/security/codes").status_code == 405
    assert not Authenticator.objects.exists()


def test_the_codes_are_shown_once(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    codes = set_up(browser)
    shown = browser.get("/account/security").content.decode()
    assert not [code for code in codes if code in shown or code.replace(" ", "") in shown]


def test_removing_the_app_is_told_and_takes_the_codes_along(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    set_up(browser)
    row = Authenticator.objects.get(type="totp")
    assert browser.post("/account/security", {"do": "remove", "key": row.pk}).status_code == 302
    assert not Authenticator.objects.exists()
    work_letters()
    told = [letter.kind for letter in Letter.objects.order_by("written_at", "pk")]
    assert told == ["key_added", "codes_made", "key_removed"]
    actions = Event.objects.filter(account_id=alice.accounts.get().pk).values_list("action", flat=True)
    assert {"key.added", "codes.made", "key.removed"} <= set(actions)


def test_an_hour_later_nothing_is_changed_without_a_proof(browser: Browser, alice: User) -> None:
    row = give_app(alice)
    browser.force_login(alice)
    age(browser)
    for path, said in (
        ("/account/security", {"do": "remove", "key": row.pk}),
        ("/account/security/codes", {}),
        ("/account/security/passkeys/new", {"name": "x"}),
    ):
        assert browser.post(path, said).url.startswith("/prove"), path
    assert browser.get("/account/security").status_code == 200
    assert Authenticator.objects.count() == 1


@pytest.mark.parametrize("key", ["", "0", "x", "9" * 40, "-1"])
@pytest.mark.parametrize("do", ["remove", "rename", "nonsense"])
def test_what_is_not_there_is_said_to_be_gone(browser: Browser, alice: User, do: str, key: str) -> None:
    browser.force_login(alice)
    answer = browser.post("/account/security", {"do": do, "key": key, "name": "x"}, follow=True)
    assert "not there any more" in unescape(answer.content.decode())


def test_charlies_factor_is_not_alices_to_change(browser: Browser, alice: User, charlie: User) -> None:
    his = give_app(charlie)
    browser.force_login(alice)
    browser.post("/account/security", {"do": "remove", "key": his.pk})
    assert Authenticator.objects.filter(user=charlie).exists()


def test_a_passkey_is_called_what_its_owner_calls_it(browser: Browser, alice: User) -> None:
    row = Authenticator.objects.create(
        user=alice, type="webauthn", data={"name": "old", "knows_holder": True}
    )
    browser.force_login(alice)
    assert browser.post("/account/security", {"do": "rename", "key": row.pk, "name": " "}).status_code == 422
    browser.post("/account/security", {"do": "rename", "key": row.pk, "name": "<b>ring</b>"})
    assert "&lt;b&gt;ring&lt;/b&gt;" in browser.get("/account/security").content.decode()
