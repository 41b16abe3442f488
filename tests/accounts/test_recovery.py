"""Getting in again without the second factor: no way is open to a thief of one mailbox."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import recovery, recovery_address
from accounts.models import User
from accounts.open import AddressChange, Recovery
from tests.accounts.conftest import Browser, work_letters
from tests.accounts.passing import letters_to, passes, press, way_in, work
from tests.accounts.recovering import (
    FIRST,
    SECOND,
    has_factor,
    lost,
    say_yes,
    set_second,
    state,
)
from tests.keys import age, give_app

pytestmark = pytest.mark.django_db


# --- two addresses


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_two_addresses_say_yes_and_then_three_days_pass(locked_out: User, order: tuple[str, str]) -> None:
    lost()
    assert [say_yes(one) for one in order] == [200, 200]
    passes(hours=71)
    assert has_factor()
    passes(hours=2)
    assert (has_factor(), state()) == (False, "done")
    for one in order:
        assert letters_to(one)[-2:] == ["recover_waits", "recover_done"]


def test_afterwards_every_session_has_ended_and_the_link_alone_is_enough(
    locked_out: User, browser: Browser, other_browser: Browser
) -> None:
    other_browser.force_login(locked_out)
    other_browser.get("/account")
    lost()
    say_yes(FIRST)
    say_yes(SECOND)
    passes(hours=73)
    assert other_browser.get("/account").status_code == 302
    letter = browser.ask_and_read(FIRST)
    browser.post(letter.path)
    assert browser.signed_in_as == locked_out.pk


@pytest.mark.parametrize("alone", [FIRST, SECOND])
def test_one_mailbox_alone_gets_nowhere(locked_out: User, alone: str) -> None:
    for _ in range(3):
        lost()
        say_yes(alone)
        passes(days=4)
    assert has_factor()
    assert "recover_done" not in letters_to(FIRST)


def test_who_reads_the_first_mailbox_cannot_set_a_second_address(locked_out: User, browser: Browser) -> None:
    work_letters()
    letter = browser.ask_and_read(FIRST)
    assert browser.post(letter.path).url == "/sign-in/second"
    answer = browser.post("/account/recovery", {"email": "thief@else.test"})
    assert answer.url.startswith("/sign-in")
    assert recovery_address.confirmed(locked_out).email == SECOND


@pytest.mark.parametrize("by", [FIRST, SECOND])
def test_each_address_can_stop_it_while_the_days_pass(locked_out: User, by: str) -> None:
    lost()
    say_yes(FIRST)
    say_yes(SECOND)
    passes(hours=70)
    way = way_in("recover_waits", by)
    for look in (Client().get, Client().head):
        assert look(way).status_code == 200
    assert press(way) == 200
    passes(days=9)
    assert (has_factor(), state()) == (True, "stopped")
    assert letters_to(SECOND)[-1] == "recover_ended"


def test_any_open_session_can_stop_it_without_being_asked_anything(
    locked_out: User, browser: Browser
) -> None:
    browser.force_login(locked_out)
    browser.get("/account")
    age(browser)
    lost()
    say_yes(FIRST)
    assert "Stop it" in browser.get("/account").content.decode()
    browser.post("/account/recovery/stop")
    assert state() == "stopped"
    assert say_yes(SECOND) == 410
    passes(days=9)
    assert has_factor()


def test_looking_at_a_link_says_neither_yes_nor_no(locked_out: User) -> None:
    lost()
    for end in (FIRST, SECOND):
        way = way_in("recover_confirm", end)
        for look in (Client().get, Client().head, Client().options):
            look(way)
    work()
    assert not Recovery.objects.exclude(first_confirmed_at=None, second_confirmed_at=None).exists()
    assert not Recovery.objects.exclude(ended_at=None).exists()


def test_an_address_can_say_no_at_once(locked_out: User) -> None:
    lost()
    assert press(way_in("recover_confirm", SECOND), do="stop") == 200
    assert (state(), say_yes(FIRST)) == ("stopped", 410)


def test_a_yes_after_three_days_is_none(locked_out: User) -> None:
    lost()
    say_yes(FIRST)
    way = way_in("recover_confirm", SECOND)
    passes(days=3, minutes=1)
    assert (press(way), state(), has_factor()) == (410, "expired", True)


# --- asking


def test_the_page_says_the_same_to_everybody(locked_out: User, charlie: User, stella: User) -> None:
    said = {lost(one) for one in (FIRST, charlie.email, stella.email, "nobody@else.test")}
    assert len(said) == 1
    assert letters_to("nobody@else.test") == []


def test_asking_looks_nowhere_whether_the_address_is_known(locked_out: User) -> None:
    asked = []
    for email in (FIRST, "nobody@else.test"):
        with CaptureQueriesContext(connection) as seen:
            Client().post("/recover", {"email": email})
        said = [one["sql"] for one in seen.captured_queries]
        asked.append([sql.split(" ")[:3] for sql in said if "SAVEPOINT" not in sql])
        assert not any("accounts_user" in sql for sql in said)
    assert asked[0] == asked[1]
    assert asked[0]


def test_without_a_second_factor_there_is_nothing_to_recover(alice: User) -> None:
    lost()
    assert letters_to(FIRST) == ["recover_help"]
    assert state() == "no way"


def test_staff_are_got_in_again_by_staff_alone(stella: User) -> None:
    set_second(stella)
    lost(stella.email)
    assert (letters_to(stella.email)[-1], has_factor()) == ("recover_help", True)


def test_with_neither_a_second_address_nor_another_owner_it_is_told_so(alice: User, bob: User) -> None:
    give_app(alice)
    lost()
    assert (letters_to(FIRST), state()) == (["recover_help"], "no way")


def test_the_newest_letter_counts_until_somebody_has_said_yes(locked_out: User) -> None:
    lost()
    old = way_in("recover_confirm", FIRST)
    lost()
    assert press(old, do="yes") == 410
    assert say_yes(FIRST) == 200
    lost()
    assert say_yes(SECOND) == 200
    assert Recovery.objects.filter(ended_at=None).count() == 1


def test_a_stranger_who_asks_again_and_again_holds_nothing_up(locked_out: User, browser: Browser) -> None:
    browser.force_login(locked_out)
    browser.get("/account")
    browser.post("/account/address", {"email": "alice@new.test"})
    lost()
    assert AddressChange.objects.get().ended_at is None
    assert "Stop it" not in browser.get("/account").content.decode()
    assert browser.post("/account/recovery", {"do": "remove"}).status_code == 302
    assert recovery_address.confirmed(locked_out) is None


def test_asking_is_limited(locked_out: User) -> None:
    answers = [Client().post("/recover", {"email": FIRST}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_what_was_typed_for_nobody_is_forgotten(alice: User) -> None:
    lost("nobody@else.test")
    assert recovery.forget() == 0
    passes(days=2)
    assert recovery.forget() == 1
