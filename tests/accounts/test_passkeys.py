"""A passkey is answered for our site, for one purpose, in one session, once."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from fido2.utils import websafe_encode

from accounts.models import User
from audit.models import Event
from tests.accounts.authenticator import SoftKey
from tests.accounts.conftest import Browser, work_letters
from tests.keys import age

pytestmark = pytest.mark.django_db


def question(browser: Client, purpose: str) -> dict[str, object]:
    return browser.post(f"/passkeys/{purpose}/question").json()["publicKey"]


def add(browser: Client, key: SoftKey, name: str = "telephone") -> HttpResponse:
    return browser.post(
        "/account/security/passkeys/new", {"name": name, "credential": key.create(question(browser, "add"))}
    )


def sign_in(browser: Client, key: SoftKey, goes_to: str = "") -> HttpResponse:
    sent = {"credential": key.get(question(browser, "sign_in")), "next": goes_to}
    return browser.post("/sign-in/passkey", sent)


@pytest.fixture
def key(alice: User) -> SoftKey:
    """Alice's, which she has added."""
    one, browser = SoftKey(), Browser()
    browser.force_login(alice)
    assert add(browser, one).status_code == 200
    work_letters()
    return one


def test_with_the_first_passkey_come_recovery_codes(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    page = add(browser, SoftKey(), "my key").content.decode()
    assert page.count("<li><code>") == 10
    assert "my key" in browser.get("/account/security").content.decode()
    assert add(browser, SoftKey(), "another").url == "/account/security"
    kinds = Authenticator.objects.order_by("pk").values_list("type", flat=True)
    assert list(kinds) == ["webauthn", "recovery_codes", "webauthn"]


def test_she_signs_in_by_it_alone(browser: Browser, alice: User, key: SoftKey) -> None:
    assert sign_in(browser, key, "/billing").url == "/billing"
    assert browser.signed_in_as == alice.pk
    came = Event.objects.filter(action="person.signed_in", account_id=alice.accounts.get().pk).get()
    assert came.facts["how"] == "passkey"
    assert Authenticator.objects.get(type="webauthn").last_used_at


def test_it_leads_off_the_site_for_nobody(browser: Browser, key: SoftKey) -> None:
    assert sign_in(browser, key, "https://evil.test/").url == "/overview"


def test_somebody_deactivated_gets_no_further(browser: Browser, alice: User, key: SoftKey) -> None:
    User.objects.update(is_active=False)
    assert sign_in(browser, key).status_code == 422
    assert browser.signed_in_as is None


def test_one_that_does_not_know_its_holder_is_not_enough_alone(
    browser: Browser, alice: User, key: SoftKey
) -> None:
    key.verifies = False
    assert sign_in(browser, key).status_code == 422
    letter = browser.ask_and_read(alice.email, "/billing")
    assert browser.post(letter.path).url == "/sign-in/second"
    sent = {"do": "passkey", "credential": key.get(question(browser, "second"))}
    assert browser.post("/sign-in/second", sent).url == "/billing"
    assert browser.signed_in_as == alice.pk


def test_an_answer_is_taken_once(browser: Browser, key: SoftKey) -> None:
    answer = key.get(question(browser, "sign_in"))
    assert browser.post("/sign-in/passkey", {"credential": answer}).status_code == 302
    browser.post("/sign-out")
    assert browser.post("/sign-in/passkey", {"credential": answer}).status_code == 422


def test_a_wrong_answer_uses_the_question_up(browser: Browser, key: SoftKey) -> None:
    answer = key.get(question(browser, "sign_in"))
    assert browser.post("/sign-in/passkey", {"credential": "{}"}).status_code == 422
    assert browser.post("/sign-in/passkey", {"credential": answer}).status_code == 422


def test_an_answer_counts_in_the_session_that_was_asked(
    browser: Browser, other_browser: Browser, key: SoftKey
) -> None:
    question(other_browser, "sign_in")
    answer = key.get(question(browser, "sign_in"))
    assert other_browser.post("/sign-in/passkey", {"credential": answer}).status_code == 422


def test_an_answer_counts_for_what_was_asked(browser: Browser, alice: User, key: SoftKey) -> None:
    browser.force_login(alice)
    age(browser)
    answer = key.get(question(browser, "sign_in"))
    assert browser.post("/prove", {"do": "passkey", "credential": answer}).status_code == 422


def test_it_proves_who_she_is(browser: Browser, alice: User, key: SoftKey) -> None:
    browser.force_login(alice)
    age(browser)
    assert browser.get("/account/security/app").status_code == 302
    sent = {"do": "passkey", "credential": key.get(question(browser, "prove")), "next": "/billing"}
    assert browser.post("/prove", sent).url == "/billing"
    assert browser.get("/account/security/app").status_code == 200


def test_a_strangers_passkey_proves_nothing(
    browser: Browser, alice: User, charlie: User, key: SoftKey
) -> None:
    theirs, his = SoftKey(), Browser()
    his.force_login(charlie)
    add(his, theirs)
    browser.force_login(alice)
    age(browser)
    for handle in (theirs.handle, key.handle):
        theirs.handle = handle
        sent = {"do": "passkey", "credential": theirs.get(question(browser, "prove"))}
        assert browser.post("/prove", sent).status_code == 422
    theirs.handle = key.handle
    assert sign_in(other := Browser(), theirs).status_code == 422
    assert other.signed_in_as is None


@pytest.mark.parametrize(
    "origin",
    ["https://testserver", "http://evil.test", "http://a.testserver", "http://testserver:81", "null"],
)
def test_an_answer_that_was_made_for_another_site_is_refused(
    browser: Browser, key: SoftKey, origin: str
) -> None:
    key.origin = origin
    assert sign_in(browser, key).status_code == 422


def test_a_copy_is_seen_by_its_count(browser: Browser, key: SoftKey) -> None:
    key.count = 7
    assert sign_in(browser, key).status_code == 302
    browser.post("/sign-out")
    for count in (7, 3, 0):
        key.count = count
        assert sign_in(browser, key).status_code == 422
    key.count = 8
    assert sign_in(browser, key).status_code == 302


def test_a_passkey_that_was_removed_opens_nothing(browser: Browser, alice: User, key: SoftKey) -> None:
    browser.force_login(alice)
    row = Authenticator.objects.get(type="webauthn")
    browser.post("/account/security", {"do": "remove", "key": row.pk})
    browser.post("/sign-out")
    assert sign_in(browser, key).status_code == 422
    assert not Authenticator.objects.exists()


def test_a_new_passkey_wants_a_fresh_proof(browser: Browser, alice: User) -> None:
    browser.force_login(alice)
    asked = question(browser, "add")
    age(browser)
    assert browser.post("/passkeys/add/question").status_code == 403
    sent = {"name": "x", "credential": SoftKey().create(asked)}
    assert browser.post("/account/security/passkeys/new", sent).url.startswith("/prove")
    assert not Authenticator.objects.exists()


def test_questions_are_for_those_whom_they_concern(browser: Browser, alice: User, key: SoftKey) -> None:
    for purpose in ("add", "prove", "second"):
        assert browser.post(f"/passkeys/{purpose}/question").status_code == 403
    assert browser.post("/passkeys/nonsense/question").status_code == 404
    assert browser.get("/passkeys/sign_in/question").status_code == 405
    assert "allowCredentials" not in question(browser, "sign_in")


BITS = {"clientDataJSON": "e30", "attestationObject": "oA", "authenticatorData": "oA", "signature": "oA"}
JUNK = [
    "",
    "{",
    "[]",
    "{}",
    "null",
    "[" * 9000,
    '{"a":' * 3000 + "1" + "}" * 3000,
    "x" * 30_000,
    json.dumps({"id": "YQ", "rawId": "YQ", "response": []}),
    json.dumps({"id": "a", "rawId": "b", "response": BITS}),
    json.dumps({"id": "YQ", "rawId": "YQ", "response": BITS}),
    json.dumps({"id": "YQ", "rawId": "YQ", "response": BITS | {"userHandle": "!!"}}),
    json.dumps({"id": "YQ", "rawId": "YQ", "response": BITS | {"userHandle": websafe_encode(b"9" * 5000)}}),
    json.dumps(
        {"id": "YQ", "rawId": "YQ", "response": BITS | {"attestationObject": websafe_encode(b"\x81" * 5000)}}
    ),
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_what_is_no_answer_is_refused_in_words(
    browser: Browser, alice: User, key: SoftKey, junk: str
) -> None:
    question(browser, "sign_in")
    assert browser.post("/sign-in/passkey", {"credential": junk}).status_code == 422
    browser.force_login(alice)
    question(browser, "add")
    sent = {"name": "x", "credential": junk}
    assert browser.post("/account/security/passkeys/new", sent).status_code == 422
    question(browser, "prove")
    age(browser)
    assert browser.post("/prove", {"do": "passkey", "credential": junk}).status_code == 422
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_handle_that_is_nobodys_is_refused(browser: Browser, key: SoftKey) -> None:
    for handle in (b"0", b"999999999", b"9" * 30, b"-1", b"1e3", b"\xff\xfe", b""):
        key.handle = handle
        assert sign_in(browser, key).status_code == 422
