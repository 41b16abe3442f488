"""Addresses that change while a recovery stands open, or before: one mailbox never becomes both ends, and no old letter counts."""

import pytest
from django.core import mail

from accounts import address, recovery_address
from accounts.models import User
from accounts.open import Recovery, RecoveryAddress
from audit.models import Event
from tests.accounts.conftest import work_letters
from tests.accounts.passing import letters_to, passes, press, way_in, ways_in, work
from tests.accounts.recovering import FIRST, SECOND, has_factor, lost, say_yes, set_second, state

pytestmark = pytest.mark.django_db


def move(user: User, new: str) -> None:
    """Both ends say yes, and the person is known by the new address."""
    address.ask(user=user, new=new, old_lost=False, session=None, by=f"user:{user.pk}")
    for end in (user.email, new):
        assert press(way_in("address_confirm", end)) == 200
    work()
    user.refresh_from_db()
    assert user.email == new


def test_an_address_that_was_the_second_and_is_the_first_now_is_not_both(locked_out: User) -> None:
    move(locked_out, SECOND)
    lost(SECOND)
    for way in ways_in("recover_confirm", SECOND):
        press(way, do="yes")
    passes(days=4)
    assert (has_factor(), state()) == (True, "no way")


def test_who_moves_to_their_second_address_is_told_that_they_have_none_now(locked_out: User) -> None:
    move(locked_out, SECOND)
    work_letters()
    told = [str(one.body) for one in mail.outbox if one.subject == "Your address was changed"]
    assert len([text for text in told if "you have no second address now" in text]) == 2
    assert recovery_address.confirmed(locked_out) is None
    assert Event.objects.filter(action="recovery_address.removed", account_id__isnull=False).count() == 1


def test_one_that_was_only_asked_for_is_dropped_and_the_one_before_counts_on(locked_out: User) -> None:
    recovery_address.ask(user=locked_out, email="alice@new.test", by=f"user:{locked_out.pk}")
    move(locked_out, "alice@new.test")
    assert recovery_address.asked(locked_out) is None
    assert recovery_address.confirmed(locked_out).email == SECOND
    work_letters()
    assert "you have no second address" not in "".join(str(one.body) for one in mail.outbox)


def test_one_that_became_the_same_long_ago_is_none(locked_out: User) -> None:
    RecoveryAddress.objects.update(email=FIRST)
    lost()
    assert (ways_in("recover_confirm", FIRST), state()) == ([], "no way")


# --- while it stands open


def test_a_second_address_that_was_removed_says_yes_to_nothing(locked_out: User) -> None:
    lost()
    ways = [way_in("recover_confirm", end) for end in (FIRST, SECOND)]
    recovery_address.remove(user=locked_out, by=f"user:{locked_out.pk}")
    assert [press(way, do="yes") for way in ways] == [410, 410]
    passes(days=5)
    assert (has_factor(), state()) == (True, "stopped")
    assert "recover_ended" in letters_to(FIRST)
    assert "recover_ended" in letters_to(SECOND)


def test_one_that_had_said_yes_before_it_was_removed_has_said_it_for_nothing(locked_out: User) -> None:
    lost()
    way = way_in("recover_confirm", FIRST)
    assert say_yes(SECOND) == 200
    recovery_address.remove(user=locked_out, by=f"user:{locked_out.pk}")
    assert press(way, do="yes") == 410
    passes(days=5)
    assert has_factor()


def test_nor_does_one_in_whose_place_another_came(locked_out: User) -> None:
    lost()
    ways = [way_in("recover_confirm", end) for end in (FIRST, SECOND)]
    set_second(locked_out, "third@elsewhere.test")
    assert [press(way, do="yes") for way in ways] == [410, 410]
    passes(days=5)
    assert (has_factor(), state()) == (True, "stopped")


def test_who_asks_for_another_second_address_that_never_says_yes_stops_nothing(locked_out: User) -> None:
    lost()
    recovery_address.ask(user=locked_out, email="third@elsewhere.test", by=f"user:{locked_out.pk}")
    assert [say_yes(end) for end in (FIRST, SECOND)] == [200, 200]


def test_the_letter_at_an_address_left_behind_is_worth_nothing(locked_out: User) -> None:
    lost()
    way = way_in("recover_confirm", FIRST)
    move(locked_out, "alice@new.test")
    assert press(way, do="yes") == 410
    assert letters_to(FIRST)[-2:] == ["recover_ended", "address_changed"]
    passes(days=5)
    assert (has_factor(), state()) == (True, "stopped")


@pytest.mark.parametrize("end", [FIRST, SECOND])
@pytest.mark.parametrize("model", [User, RecoveryAddress])
def test_who_is_asked_is_looked_at_again_when_they_say_yes(
    locked_out: User, end: str, model: type[User | RecoveryAddress]
) -> None:
    lost()
    way = way_in("recover_confirm", end)
    model.objects.update(email="another@new.test")
    assert press(way, do="yes") == 410
    assert not Recovery.objects.exclude(first_confirmed_at=None, second_confirmed_at=None).exists()
