"""What getting in again rests on: another owner who vouches, and a second address that has said yes."""

import pytest
from django.test import Client

from accounts import recovery, recovery_address
from accounts.models import Account, Membership, User
from accounts.open import AddressChange
from audit.models import Event
from tests.accounts.conftest import Browser
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


# --- another owner vouches


def test_another_owner_vouches_after_the_address_has_said_yes(
    alice: User, dora: User, browser: Browser
) -> None:
    give_app(alice)
    lost()
    assert press(way_in("recover_confirm", FIRST), do="yes") == 200
    assert letters_to(dora.email) == ["vouch_wanted"]
    browser.force_login(dora)
    person = alice.memberships.get().pk
    assert "Asks you to vouch" in browser.get("/account/people").content.decode()
    assert "Speak with them first" in browser.get(f"/account/people/{person}").content.decode()
    assert browser.post(f"/account/people/{person}", {"do": "vouch"}).status_code == 302
    work()
    assert (has_factor(), state()) == (False, "done")
    assert letters_to(FIRST)[-1] == "recover_done"
    assert Event.objects.filter(action="recovery.vouched", by=f"user:{dora.pk}").exists()


def test_nobody_vouches_before_the_address_has_said_yes(alice: User, dora: User, browser: Browser) -> None:
    give_app(alice)
    lost()
    browser.force_login(dora)
    answer = browser.post(f"/account/people/{alice.memberships.get().pk}", {"do": "vouch"})
    work()
    assert (answer.status_code, has_factor()) == (422, True)


def test_an_owner_of_one_account_does_not_vouch_for_what_another_has_to_lose(alice: User, dora: User) -> None:
    Membership.objects.create(account=Account.objects.create(name="Alice's own"), user=alice)
    assert recovery.vouchers(alice) == []


def test_neither_a_member_nor_oneself_vouches(alice: User, dora: User, bob: User) -> None:
    assert recovery.vouchers(alice) == [dora]
    assert alice not in recovery.vouchers(alice)


def test_vouching_needs_a_fresh_proof(alice: User, dora: User, browser: Browser) -> None:
    give_app(alice)
    lost()
    say_yes(FIRST)
    browser.force_login(dora)
    age(browser)
    answer = browser.post(f"/account/people/{alice.memberships.get().pk}", {"do": "vouch"})
    work()
    assert answer.url.startswith("/prove")
    assert has_factor()


# --- the second address


def test_a_second_address_counts_when_it_has_said_yes_and_both_hear_of_it(alice: User) -> None:
    recovery_address.ask(user=alice, email=SECOND, by="user:1")
    way = way_in("recovery_address_confirm", SECOND)
    for look in (Client().get, Client().head):
        assert look(way).status_code == 200
    assert recovery_address.confirmed(alice) is None
    assert press(way) == 200
    assert recovery_address.confirmed(alice).email == SECOND
    assert letters_to(FIRST)[-1] == letters_to(SECOND)[-1] == "recovery_address_changed"


def test_another_one_takes_its_place_only_when_that_has_said_yes(alice: User) -> None:
    set_second(alice)
    recovery_address.ask(user=alice, email="third@elsewhere.test", by="user:1")
    assert recovery_address.confirmed(alice).email == SECOND
    assert press(way_in("recovery_address_confirm", "third@elsewhere.test")) == 200
    assert recovery_address.confirmed(alice).email == "third@elsewhere.test"
    assert letters_to(SECOND)[-1] == "recovery_address_changed"


def test_a_link_for_a_second_address_is_over_after_a_day_or_when_it_was_taken_back(alice: User) -> None:
    recovery_address.ask(user=alice, email=SECOND, by="user:1")
    late = way_in("recovery_address_confirm", SECOND)
    passes(hours=25)
    recovery_address.ask(user=alice, email="third@elsewhere.test", by="user:1")
    back = way_in("recovery_address_confirm", "third@elsewhere.test")
    assert recovery_address.remove(user=alice, by="user:1")
    assert [press(late), press(back)] == [410, 410]
    assert recovery_address.confirmed(alice) is None


def test_the_first_address_is_no_second_one(alice: User, browser: Browser) -> None:
    browser.force_login(alice)
    assert browser.post("/account/recovery", {"email": FIRST.upper()}).status_code == 422


def test_while_somebody_recovers_the_addresses_stay_as_they_were(locked_out: User, browser: Browser) -> None:
    browser.force_login(locked_out)
    browser.get("/account")
    browser.post("/account/address", {"email": "alice@new.test"})
    lost()
    say_yes(FIRST)
    assert AddressChange.objects.get().outcome == "called off"
    assert browser.post("/account/recovery", {"email": "third@elsewhere.test"}).status_code == 422
    browser.post("/account/recovery", {"do": "remove"})
    assert recovery_address.confirmed(locked_out).email == SECOND
    assert browser.post("/account/address", {"email": "alice@new.test"}).status_code == 422


def test_who_has_no_second_factor_is_told_what_that_means(alice: User, browser: Browser) -> None:
    browser.force_login(alice)
    page = browser.get("/account/recovery").content.decode()
    assert "whoever can read your mail can sign in as you" in page
